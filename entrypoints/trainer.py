"""The loop that trains: steps, epochs, what is measured, when to stop, and where to go on.

It trains a module on a source of batches and knows neither images nor files, so it is the same for a whole network and
for a head on features, for one process and for many. What chance decides in a step (dropout) is drawn from the seed,
the epoch and the step, so that an interrupted training goes on as if nothing had been.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NoReturn

import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel

import contract
from checkpoints import MACHINERY, STATE, Checkpoints
from debugger_hook import Watch
from errors import ModelError
from hyperparameters import Hyperparameters
from picture_dataset import NOT_COUNTED
from optimization import optimizer_of, set_rate
from precision import Precision
from process_group import Ranks
from batch_sources import Source
from training_state import NOTHING, Row, Spent, State
from stop_signal import Stop, StoppedError

_LOOK_EVERY = 16
log = logging.getLogger(__name__)


class Trainer:
    """One training of a module."""

    def __init__(
        self,
        module: nn.Module,
        chosen: Hyperparameters,
        precision: Precision,
        ranks: Ranks,
        *,
        checkpoints: Checkpoints | None = None,
        stop: Stop | None = None,
        watch: Watch | None = None,
    ) -> None:
        self.module, self.chosen, self.precision, self.ranks = module, chosen, precision, ranks
        self.checkpoints, self.stop, self.watch = checkpoints or Checkpoints(None), stop or Stop(), watch or Watch()
        self.joined = _joined(module, ranks)
        self.criterion = nn.CrossEntropyLoss(
            reduction="sum", ignore_index=NOT_COUNTED, label_smoothing=chosen.label_smoothing
        )
        self.optimizer = optimizer_of(module, chosen)
        self.scaler = precision.scaler()
        self.state = State()
        self.before: Row = {}
        """What was spent before the first epoch, told with it."""

    def resume(self, saved: Mapping[str, Any]) -> None:
        """Go on from what a checkpoint has."""
        machinery = saved[MACHINERY]
        self.module.load_state_dict(machinery["module"])
        self.optimizer.load_state_dict(machinery["optimizer"])
        self.scaler.load_state_dict(machinery["scaler"])
        self.state = State.of(saved[STATE])
        if not self.ranks.is_first:
            self.state.sums = NOTHING  # the first process has those of all

    def run(self, train: Source, validation: Source) -> None:
        """Train until it is over; StoppedError if somebody asks to stop before."""
        while not self.state.is_over(self.chosen):
            row = self._epoch(train) | self.evaluate(validation) | ({} if self.state.history else self.before)
            self.state.add(row, self.module)
            self._save()
            if self.ranks.is_first:
                tell(row, self.state.epoch, self.chosen.epochs)

    def evaluate(self, source: Source) -> Row:
        """The loss and the accuracy over every sample once: means of samples, so that no size of batch moves them."""
        self.module.eval()
        self.watch.validates()
        sums = torch.zeros(3, dtype=torch.float64, device=self.precision.device)
        for step, (inputs, targets) in enumerate(source.batches(0)):
            sums += self._measured(inputs, targets)
            if self._is_time_to_look(step) and self.ranks.any_says(self.stop.asked)[0]:
                self._save_and_stop()
        total, correct, count = self.ranks.totals(sums)
        if not math.isfinite(total):
            raise ModelError(f"the loss on the validation images is {total}; lower --learning-rate")
        return {"validation:loss": total / count, "validation:accuracy": correct / count}

    def _measured(self, inputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        with torch.inference_mode(), self.precision.autocast():
            logits = self.module(inputs).float()
            loss = nn.functional.cross_entropy(logits, targets, reduction="sum", ignore_index=NOT_COUNTED)
            self.watch.saw(loss, targets)
            return _counted(loss, logits, targets)

    def _epoch(self, train: Source) -> Row:
        self.joined.train()
        self.watch.trains()
        state, spent = self.state, Spent(self.state.spent)
        sums = torch.tensor(state.sums, dtype=torch.float64, device=self.precision.device)
        for step, (inputs, targets) in enumerate(train.batches(state.epoch, state.step), start=state.step):
            spent.on("waiting")
            set_rate(self.optimizer, state.epoch * train.steps + step, train.steps, self.chosen)
            sums += self._step(inputs, targets, step, train, spent)
            state.step, state.spent = step + 1, spent.seconds
            if state.step == train.steps:
                _agree_on_buffers(self.module, self.ranks)
            if self._is_time_to_look(step):
                self._look(sums)
        totals = self._checked(sums)
        spent.on("waiting")
        state.sums = tuple(totals) if self.ranks.is_first else NOTHING
        total, correct, count = totals
        return {
            "train:loss": total / count,
            "train:accuracy": correct / count,
            "throughput:images_per_second": train.count / max(sum(spent.seconds.values()), 1e-9),
            **{f"seconds:{name}": seconds for name, seconds in spent.seconds.items()},
        }

    def _step(
        self, inputs: torch.Tensor, targets: torch.Tensor, step: int, train: Source, spent: Spent
    ) -> torch.Tensor:
        place, epoch = self.ranks.place, self.state.epoch
        torch.manual_seed(hash((self.chosen.seed, epoch, step, place.rank)) % 2**63)
        with self.precision.autocast():
            logits = self.joined(inputs)
            loss = self.criterion(logits.float(), targets)
        self.watch.saw(loss, targets)
        spent.on("forward")
        # Gradients are averaged over processes, and the mean over all samples of the step is what is wanted.
        self.scaler.scale(loss * place.world / train.size(step)).backward()
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.optimizer.zero_grad(set_to_none=True)
        counted = _counted(loss.detach(), logits.detach(), targets)
        spent.on("backward")
        return counted

    def _is_time_to_look(self, step: int) -> bool:
        """Whether to ask the other processes: on GPUs all would wait for each other in every step."""
        return not self.ranks.backend or self.precision.device.type != "cuda" or step % _LOOK_EVERY == 0

    def _look(self, sums: torch.Tensor) -> None:
        """Whether it goes well, and whether a checkpoint is due, or the end."""
        is_due = self.ranks.is_first and self.checkpoints.is_due()
        asked, is_due = self.ranks.any_says(self.stop.asked, is_due)
        if self.state.step % _LOOK_EVERY == 1 or asked or is_due:
            totals = self._checked(sums)
            if asked:
                self._save_and_stop(totals)
            if is_due and self._save(totals):
                log.info("saved at epoch %d, step %d", self.state.epoch + 1, self.state.step)

    def _checked(self, sums: torch.Tensor) -> list[float]:
        """The sums of all processes so far, if they are numbers."""
        totals = self.ranks.totals(sums)
        if all(map(math.isfinite, totals)):
            return totals
        if self.ranks.is_first:
            log.info(contract.METRIC_LINE.format(name="train:loss", value="nan"))
        raise ModelError(
            f"the loss is no number any more in epoch {self.state.epoch + 1}, at step {self.state.step}; "
            f"lower --learning-rate, which is {self.chosen.learning_rate:g}, or use --precision fp32"
        )

    def _save_and_stop(self, totals: Sequence[float] | None = None) -> NoReturn:
        place = f"epoch {self.state.epoch + 1}, step {self.state.step}"
        if self._save(totals):
            raise StoppedError(f"{place} is saved, and the same command goes on from here")
        raise StoppedError(f"{place} is not saved, as there is no place for it; --checkpoint-dir names one")

    def _save(self, totals: Sequence[float] | None = None) -> bool:
        """Save where the training is, with what all processes together have summed up in this epoch."""
        if not self.ranks.is_first:
            return False
        state = replace(self.state, sums=tuple(totals)) if totals else self.state
        if state.is_over(self.chosen):
            return self.checkpoints.save(state.kept(), None)
        machinery = {name: getattr(self, name).state_dict() for name in ("module", "optimizer", "scaler")}
        return self.checkpoints.save(state.kept(), machinery)


def tell(row: Row, epoch: int, epochs: int, word: str = "") -> None:
    """Log what an epoch has measured, as the definition reads it."""
    log.info("epoch %d of %d%s", epoch, epochs, f" ({word})" if word else "")
    for name in contract.METRICS:
        log.info(contract.METRIC_LINE.format(name=name, value=f"{row[name]:.6g}"))


def _counted(loss: torch.Tensor, logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """The sum of losses, how many were right, and how many there were."""
    correct = (logits.argmax(1) == targets).sum()
    return torch.stack([loss.double(), correct.double(), (targets != NOT_COUNTED).sum().double()])


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
