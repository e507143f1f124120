"""The loop that trains: steps, epochs, what is measured, when to stop, and where to go on.

It trains a module on a source of batches and knows neither images nor files, so it is the same for a whole network and
for a head on features, for one process and for many. What chance decides in a step (dropout) is drawn from the seed,
the epoch and the step, so that an interrupted training goes on as if nothing had been.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel

import contract
from checkpoints import Checkpoints, Stop
from errors import ModelError
from images import NOT_COUNTED
from options import Hyperparameters
from precision import Precision
from ranks import Ranks
from sources import Source

_LOOK_EVERY = 16
Row = dict[str, float]
log = logging.getLogger(__name__)


@dataclass
class Spent:
    """Where the time of an epoch went, in seconds; on a GPU, what it took to ask for, as it computes beside."""

    waiting: float = 0.0
    forward: float = 0.0
    backward: float = 0.0
    last: float = field(default_factory=time.perf_counter)

    def on(self, what: str) -> None:
        """Count the time since the last call for one of them."""
        now = time.perf_counter()
        setattr(self, what, getattr(self, what) + now - self.last)
        self.last = now


class StoppedError(Exception):
    """Somebody asked the training to stop; where it was is saved."""


@dataclass
class Progress:
    """How far a training is, and the best that it has been."""

    epoch: int = 0
    step: int = 0
    history: list[Row] = field(default_factory=list)
    best_epoch: int = -1
    best_state: dict[str, torch.Tensor] = field(default_factory=dict)
    sums: list[float] = field(default_factory=lambda: [0.0, 0.0, 0.0])

    @property
    def best(self) -> Row:
        """What the best epoch measured."""
        return self.history[self.best_epoch]

    def add(self, row: Row, module: nn.Module) -> None:
        """Note an epoch, and the module if it is the best so far."""
        self.history.append(row)
        if self.best_epoch < 0 or row["validation:loss"] < self.best["validation:loss"]:
            self.best_epoch = len(self.history) - 1
            self.best_state = {name: value.detach().cpu().clone() for name, value in module.state_dict().items()}

    def is_over(self, chosen: Hyperparameters) -> bool:
        """Whether all epochs are done, or none of the last few was any better."""
        waited = len(self.history) - 1 - self.best_epoch
        return self.epoch >= chosen.epochs or (0 < chosen.patience <= waited and self.best_epoch >= 0)


class Trainer:
    """One training of a module."""

    def __init__(self, module: nn.Module, chosen: Hyperparameters, precision: Precision, ranks: Ranks) -> None:
        self.module, self.chosen, self.precision, self.ranks = module, chosen, precision, ranks
        self.joined = _joined(module, ranks)
        self.criterion = nn.CrossEntropyLoss(
            reduction="sum", ignore_index=NOT_COUNTED, label_smoothing=chosen.label_smoothing
        )
        groups = _groups(module, chosen.weight_decay)
        self.optimizer = torch.optim.AdamW(groups, lr=chosen.learning_rate, fused=True)
        self.scaler = precision.scaler()
        self.progress = Progress()
        self.before: Row = {}
        """What was spent before the first epoch, told with it."""

    def run(self, train: Source, validation: Source, checkpoints: Checkpoints, stop: Stop) -> Progress:
        """Train until it is over; StoppedError if somebody asks to stop before."""
        self._resume(checkpoints)
        while not self.progress.is_over(self.chosen):
            row = self._epoch(train, checkpoints, stop)
            _agree_on_buffers(self.module, self.ranks)
            row |= self.evaluate(validation) | ({} if self.progress.history else self.before)
            self.progress.add(row, self.module)
            self.progress.epoch, self.progress.step, self.progress.sums = self.progress.epoch + 1, 0, [0.0, 0.0, 0.0]
            self._tell(row, self.progress.epoch)
            self._save(checkpoints)
        # The tuner reads the last value of a metric, and it is the best model that is kept.
        self._tell(self.progress.best, self.progress.best_epoch + 1, "best, kept")
        self.module.load_state_dict(self.progress.best_state)
        return self.progress

    def evaluate(self, source: Source) -> Row:
        """The loss and the accuracy over every sample once: means of samples, so that no size of batch moves them."""
        self.module.eval()
        sums = torch.zeros(3, dtype=torch.float64, device=self.precision.device)
        with torch.inference_mode(), self.precision.autocast():
            for inputs, targets in source.batches(0):
                logits = self.module(inputs).float()
                loss = nn.functional.cross_entropy(logits, targets, reduction="sum", ignore_index=NOT_COUNTED)
                sums += _counted(loss, logits, targets)
        total, correct, count = self.ranks.summed(sums).tolist()
        if not math.isfinite(total):
            raise ModelError(f"the loss on the validation images is {total}; lower --learning-rate")
        return {"validation:loss": total / count, "validation:accuracy": correct / count}

    def _epoch(self, train: Source, checkpoints: Checkpoints, stop: Stop) -> Row:
        self.joined.train()
        spent, first = Spent(), self.progress.step
        sums = torch.tensor(self.progress.sums, dtype=torch.float64, device=self.precision.device)
        for step, (inputs, targets) in enumerate(train.batches(self.progress.epoch, first), start=first):
            spent.on("waiting")
            self._set_rate(self.progress.epoch * train.steps + step, train.steps)
            sums += self._step(inputs, targets, step, train, spent)
            self.progress.step = step + 1
            if step % _LOOK_EVERY == 0:
                self._check(sums, step)
            if self._is_asked_to_stop(stop, step):
                self.progress.sums = self.ranks.summed(sums).tolist()
                self._save(checkpoints)
                raise StoppedError
        self._check(sums, self.progress.step)
        spent.on("waiting")
        seconds = spent.waiting + spent.forward + spent.backward
        total, correct, count = self.ranks.summed(sums).tolist()
        seen = min(train.count, (train.steps - first) * train.count / train.steps)
        return {
            "train:loss": total / count,
            "train:accuracy": correct / count,
            "throughput:images_per_second": seen / max(seconds, 1e-9),
            **{f"seconds:{name}": getattr(spent, name) for name in ("waiting", "forward", "backward")},
        }

    def _step(
        self, inputs: torch.Tensor, targets: torch.Tensor, step: int, train: Source, spent: Spent
    ) -> torch.Tensor:
        place, epoch = self.ranks.place, self.progress.epoch
        torch.manual_seed(hash((self.chosen.seed, epoch, step, place.rank)) % 2**63)
        with self.precision.autocast():
            logits = self.joined(inputs)
            loss = self.criterion(logits.float(), targets)
        spent.on("forward")
        # Gradients are averaged over processes, and the mean over all samples of the step is what is wanted.
        self.scaler.scale(loss * place.world / train.size(step)).backward()
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.optimizer.zero_grad(set_to_none=True)
        counted = _counted(loss.detach(), logits.detach(), targets)
        spent.on("backward")
        return counted

    def _set_rate(self, step: int, steps: int) -> None:
        rate = self.chosen.learning_rate * rate_at(step, steps, self.chosen)
        for group in self.optimizer.param_groups:
            group["lr"] = rate

    def _check(self, sums: torch.Tensor, step: int) -> None:
        if not bool(torch.isfinite(self.ranks.summed(sums.clone())).all()):
            if self.ranks.is_first:
                log.info(contract.METRIC_LINE.format(name="train:loss", value="nan"))
            raise ModelError(
                f"the loss is no number any more in epoch {self.progress.epoch + 1}, at step {step + 1}; "
                f"lower --learning-rate, which is {self.chosen.learning_rate:g}, or use --precision fp32"
            )

    def _is_asked_to_stop(self, stop: Stop, step: int) -> bool:
        if not self.ranks.backend:
            return stop.asked
        if step % (_LOOK_EVERY if self.precision.device.type == "cuda" else 1):
            return False
        asked = torch.tensor(float(stop.asked), device=self.precision.device)
        return bool(self.ranks.summed(asked))

    def _tell(self, row: Mapping[str, float], epoch: int, word: str = "") -> None:
        if self.ranks.is_first:
            log.info("epoch %d of %d%s", epoch, self.chosen.epochs, f" ({word})" if word else "")
            for name in contract.METRICS:
                log.info(contract.METRIC_LINE.format(name=name, value=f"{row[name]:.6g}"))

    def _save(self, checkpoints: Checkpoints) -> None:
        if self.ranks.is_first:
            checkpoints.save(
                {
                    **{name: getattr(self.progress, name) for name in _KEPT},
                    "module": self.module.state_dict(),
                    "optimizer": self.optimizer.state_dict(),
                    "scaler": self.scaler.state_dict(),
                }
            )

    def _resume(self, checkpoints: Checkpoints) -> None:
        state = self.ranks.told(checkpoints.load() if self.ranks.is_first else None)
        if state is None:
            return
        self.module.load_state_dict(state["module"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.scaler.load_state_dict(state["scaler"])
        self.progress = Progress(**{name: state[name] for name in _KEPT})
        if not self.ranks.is_first:
            self.progress.sums = [0.0, 0.0, 0.0]  # the first process has those of all


_KEPT = ("epoch", "step", "history", "best_epoch", "best_state", "sums")


def rate_at(step: int, steps: int, chosen: Hyperparameters) -> float:
    """The share of the learning rate at a step: up in a straight line, then down along a cosine."""
    warmup, whole = chosen.warmup_epochs * steps, chosen.epochs * steps
    if step < warmup:
        return (step + 1) / (warmup + 1)
    done = (step - warmup) / max(1.0, whole - warmup)
    return 0.5 * (1 + math.cos(math.pi * min(1.0, done)))


def _counted(loss: torch.Tensor, logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """The sum of losses, how many were right, and how many there were."""
    correct = (logits.argmax(1) == targets).sum()
    return torch.stack([loss.double(), correct.double(), (targets != NOT_COUNTED).sum().double()])


def _groups(module: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Matrices decay; biases and the scales of normalizations do not."""
    trained = [one for one in module.parameters() if one.requires_grad]
    return [
        {"params": [one for one in trained if one.ndim > 1], "weight_decay": weight_decay},
        {"params": [one for one in trained if one.ndim <= 1], "weight_decay": 0.0},
    ]


def _joined(module: nn.Module, ranks: Ranks) -> nn.Module:
    """The module as all processes train it; its own names are without a prefix, and are what is saved."""
    if not ranks.backend:
        return module
    on_gpu = ranks.device.type == "cuda"
    return DistributedDataParallel(module, device_ids=[ranks.device.index] if on_gpu else None)


def _agree_on_buffers(module: nn.Module, ranks: Ranks) -> None:
    """Running means differ between processes by the part of the last step that each has seen: all get their mean."""
    if ranks.backend:
        for buffer in module.buffers():
            if buffer.is_floating_point():
                ranks.summed(buffer).div_(ranks.place.world)
