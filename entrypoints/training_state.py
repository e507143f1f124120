"""The progress of a training: its metrics, its best weights, and what a checkpoint stores of them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import torch
from torch import nn

from hyperparameters import Hyperparameters

Row = dict[str, float]
ZERO_SUMS = (0.0, 0.0, 0.0)


class EpochTimer:
    """Measures where the time of an epoch goes, in seconds; on a GPU, only the time to launch the kernels."""

    def __init__(self, before: Row) -> None:
        self.seconds = {"waiting": 0.0, "forward": 0.0, "backward": 0.0, **before}
        self._last = time.perf_counter()

    def record(self, what: str) -> None:
        """Adds the time since the last call to a category."""
        now = time.perf_counter()
        self.seconds[what] += now - self._last
        self._last = now


@dataclass
class TrainingState:
    """The current epoch and step, the sums of this epoch, and the results of the epochs before."""

    epoch: int = 0
    step: int = 0
    sums: tuple[float, ...] = ZERO_SUMS
    spent: Row = field(default_factory=dict)
    history: list[Row] = field(default_factory=list)
    best_epoch: int = -1
    best_module: dict[str, torch.Tensor] = field(default_factory=dict)

    @property
    def best(self) -> Row:
        """The metrics of the best epoch."""
        return self.history[self.best_epoch]

    def add(self, row: Row, module: nn.Module) -> None:
        """Adds the metrics of an epoch, keeps the weights if they are the best, and begins the next epoch."""
        self.history.append(row)
        if self.best_epoch < 0 or row["validation:loss"] < self.best["validation:loss"]:
            self.best_epoch = len(self.history) - 1
            self.best_module = {name: value.detach().cpu().clone() for name, value in module.state_dict().items()}
        self.epoch, self.step, self.sums, self.spent = self.epoch + 1, 0, ZERO_SUMS, {}

    def is_over(self, hyperparameters: Hyperparameters) -> bool:
        """Returns whether all epochs are done, or the patience is used up."""
        epochs_without_gain = len(self.history) - 1 - self.best_epoch
        return self.epoch >= hyperparameters.epochs or (
            0 < hyperparameters.patience <= epochs_without_gain and self.best_epoch >= 0
        )

    def to_checkpoint(self) -> dict[str, Any]:
        """Returns plain values and tensors, by the names of the fields."""
        return {item.name: getattr(self, item.name) for item in fields(self)}

    @classmethod
    def from_checkpoint(cls, to_checkpoint: Mapping[str, Any]) -> TrainingState:
        return cls(**to_checkpoint)
