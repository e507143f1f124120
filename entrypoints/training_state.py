"""How far a training is: what it has measured, the best that it has been, and what a checkpoint keeps of it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import torch
from torch import nn

from hyperparameters import Hyperparameters

Row = dict[str, float]
NOTHING = (0.0, 0.0, 0.0)


class Spent:
    """Where the time of an epoch went, in seconds; on a GPU, what it took to ask for, as it computes beside."""

    def __init__(self, before: Row) -> None:
        self.seconds = {"waiting": 0.0, "forward": 0.0, "backward": 0.0, **before}
        self._last = time.perf_counter()

    def on(self, what: str) -> None:
        """Count the time since the last call for one of them."""
        now = time.perf_counter()
        self.seconds[what] += now - self._last
        self._last = now


@dataclass
class State:
    """An epoch and a step in it, what was summed up to there, and what all epochs before have come to."""

    epoch: int = 0
    step: int = 0
    sums: tuple[float, ...] = NOTHING
    spent: Row = field(default_factory=dict)
    history: list[Row] = field(default_factory=list)
    best_epoch: int = -1
    best_module: dict[str, torch.Tensor] = field(default_factory=dict)

    @property
    def best(self) -> Row:
        """What the best epoch measured."""
        return self.history[self.best_epoch]

    def add(self, row: Row, module: nn.Module) -> None:
        """Note an epoch, and the module if it is the best so far; the next epoch begins."""
        self.history.append(row)
        if self.best_epoch < 0 or row["validation:loss"] < self.best["validation:loss"]:
            self.best_epoch = len(self.history) - 1
            self.best_module = {name: value.detach().cpu().clone() for name, value in module.state_dict().items()}
        self.epoch, self.step, self.sums, self.spent = self.epoch + 1, 0, NOTHING, {}

    def is_over(self, chosen: Hyperparameters) -> bool:
        """Whether all epochs are done, or none of the last few was any better."""
        waited = len(self.history) - 1 - self.best_epoch
        return self.epoch >= chosen.epochs or (0 < chosen.patience <= waited and self.best_epoch >= 0)

    def kept(self) -> dict[str, Any]:
        """What a checkpoint keeps: plain values and tensors."""
        return {one.name: getattr(self, one.name) for one in fields(self)}

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> State:
        """What a checkpoint has kept."""
        return cls(**kept)
