"""The training loop: steps, epochs, metrics, early stopping and resuming.

It trains a module on batches and knows nothing about images or files, so it works for a whole network and for a head on
features, for one process and for several. Random decisions in a step (dropout) depend on the seed, the epoch and the
step, so that an interrupted training continues exactly.
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
from batch_sources import BatchSource
from checkpoints import STATE, TRAINER_STATE, Checkpoints
from debugger_hook import DebuggerHook
from errors import ModelError
from hyperparameters import Hyperparameters
from optimization import create_optimizer, set_learning_rate
from picture_dataset import IGNORE_INDEX
from precision import Precision
from process_group import ProcessGroup
from stop_signal import StoppedError, StopSignal
from training_state import ZERO_SUMS, EpochTimer, Row, TrainingState

_SYNC_EVERY = 16
log = logging.getLogger(__name__)


class Trainer:
    """Trains a module."""

    def __init__(
        self,
        module: nn.Module,
        hyperparameters: Hyperparameters,
        precision: Precision,
        group: ProcessGroup,
        *,
        checkpoints: Checkpoints | None = None,
        stop: StopSignal | None = None,
        hook: DebuggerHook | None = None,
    ) -> None:
        self.module, self.hyperparameters, self.precision, self.group = module, hyperparameters, precision, group
        self.checkpoints = checkpoints or Checkpoints(None)
        self.stop, self.hook = stop or StopSignal(), hook or DebuggerHook()
        self.distributed_module = _wrap_distributed(module, group)
        self.criterion = nn.CrossEntropyLoss(
            reduction="sum", ignore_index=IGNORE_INDEX, label_smoothing=hyperparameters.label_smoothing
        )
        self.optimizer = create_optimizer(module, hyperparameters)
        self.scaler = precision.scaler()
        self.state = TrainingState()
        self.preparation: Row = {}
        """The time before the first epoch, logged with it."""

    def resume(self, checkpoint: Mapping[str, Any]) -> None:
        """Continues from a checkpoint."""
        trainer_state = checkpoint[TRAINER_STATE]
        self.module.load_state_dict(trainer_state["module"])
        self.optimizer.load_state_dict(trainer_state["optimizer"])
        self.scaler.load_state_dict(trainer_state["scaler"])
        self.state = TrainingState.from_checkpoint(checkpoint[STATE])
        if not self.group.is_main:
            self.state.sums = ZERO_SUMS  # the first process has the sums of all

    def run(self, train: BatchSource, validation: BatchSource) -> None:
        """Trains until it is over; raises StoppedError if a signal asks to stop before."""
        while not self.state.is_over(self.hyperparameters):
            row = self._epoch(train) | self.evaluate(validation) | ({} if self.state.history else self.preparation)
            self.state.add(row, self.module)
            self._save()
            if self.group.is_main:
                log_epoch(row, self.state.epoch, self.hyperparameters.epochs)

    def evaluate(self, source: BatchSource) -> Row:
        """Returns the loss and the accuracy, each a mean over samples, so that the batch size does not change them."""
        self.module.eval()
        self.hook.start_validation()
        sums = torch.zeros(3, dtype=torch.float64, device=self.precision.device)
        for step, (inputs, targets) in enumerate(source.batches(0)):
            sums += self._evaluate_batch(inputs, targets)
            if self._is_time_to_sync(step) and self.group.any_true(self.stop.requested)[0]:
                self._save_and_stop()
        total, correct, count = self.group.totals(sums)
        if not math.isfinite(total):
            raise ModelError(f"the loss on the validation images is {total}", "lower --learning-rate")
        return {"validation:loss": total / count, "validation:accuracy": correct / count}

    def _evaluate_batch(self, inputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        with torch.inference_mode(), self.precision.autocast():
            logits = self.module(inputs).float()
            loss = nn.functional.cross_entropy(logits, targets, reduction="sum", ignore_index=IGNORE_INDEX)
            self.hook.record_loss(loss, targets)
            return _batch_sums(loss, logits, targets)

    def _epoch(self, train: BatchSource) -> Row:
        self.distributed_module.train()
        self.hook.start_training()
        state, timer = self.state, EpochTimer(self.state.spent)
        sums = torch.tensor(state.sums, dtype=torch.float64, device=self.precision.device)
        for step, (inputs, targets) in enumerate(train.batches(state.epoch, state.step), start=state.step):
            timer.record("waiting")
            set_learning_rate(self.optimizer, state.epoch * train.steps + step, train.steps, self.hyperparameters)
            sums += self._step(inputs, targets, step, train, timer)
            state.step, state.spent = step + 1, timer.seconds
            if state.step == train.steps:
                _average_buffers(self.module, self.group)
            if self._is_time_to_sync(step):
                self._check_health(sums)
        totals = self._finite_totals(sums)
        timer.record("waiting")
        state.sums = tuple(totals) if self.group.is_main else ZERO_SUMS
        total, correct, count = totals
        return {
            "train:loss": total / count,
            "train:accuracy": correct / count,
            "throughput:images_per_second": train.count / max(sum(timer.seconds.values()), 1e-9),
            **{f"seconds:{name}": seconds for name, seconds in timer.seconds.items()},
        }

    def _step(
        self, inputs: torch.Tensor, targets: torch.Tensor, step: int, train: BatchSource, timer: EpochTimer
    ) -> torch.Tensor:
        rank_info, epoch = self.group.rank_info, self.state.epoch
        torch.manual_seed(hash((self.hyperparameters.seed, epoch, step, rank_info.rank)) % 2**63)
        with self.precision.autocast():
            logits = self.distributed_module(inputs)
            loss = self.criterion(logits.float(), targets)
        self.hook.record_loss(loss, targets)
        timer.record("forward")
        # DistributedDataParallel averages gradients over processes; this scales them to the mean over all samples.
        self.scaler.scale(loss * rank_info.world_size / train.size(step)).backward()
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.optimizer.zero_grad(set_to_none=True)
        batch_sums = _batch_sums(loss.detach(), logits.detach(), targets)
        timer.record("backward")
        return batch_sums

    def _is_time_to_sync(self, step: int) -> bool:
        """Returns whether to ask the other processes: on GPUs, asking in every step would make all of them wait."""
        return not self.group.backend or self.precision.device.type != "cuda" or step % _SYNC_EVERY == 0

    def _check_health(self, sums: torch.Tensor) -> None:
        """Checks the loss, and saves a checkpoint or stops if that is due."""
        is_due = self.group.is_main and self.checkpoints.is_due()
        stop_requested, is_due = self.group.any_true(self.stop.requested, is_due)
        if self.state.step % _SYNC_EVERY == 1 or stop_requested or is_due:
            totals = self._finite_totals(sums)
            if stop_requested:
                self._save_and_stop(totals)
            if is_due and self._save(totals):
                log.info("saved at epoch %d, step %d", self.state.epoch + 1, self.state.step)

    def _finite_totals(self, sums: torch.Tensor) -> list[float]:
        """Returns the sums over all processes; raises ModelError if the loss is not finite."""
        totals = self.group.totals(sums)
        if all(map(math.isfinite, totals)):
            return totals
        if self.group.is_main:
            log.info(contract.METRIC_LINE.format(name="train:loss", value="nan"))
        raise ModelError(
            f"the loss is not finite in epoch {self.state.epoch + 1}, at step {self.state.step}",
            f"lower --learning-rate, which is {self.hyperparameters.learning_rate:g}, or use --precision fp32",
        )

    def _save_and_stop(self, totals: Sequence[float] | None = None) -> NoReturn:
        position = f"epoch {self.state.epoch + 1}, step {self.state.step}"
        if self._save(totals):
            raise StoppedError(f"{position} is saved; the same command resumes from there")
        raise StoppedError(
            f"{position} is not saved, as there is no folder for checkpoints; name one with --checkpoint-dir"
        )

    def _save(self, totals: Sequence[float] | None = None) -> bool:
        """Saves a checkpoint with the sums of all processes in this epoch."""
        if not self.group.is_main:
            return False
        state = replace(self.state, sums=tuple(totals)) if totals else self.state
        if state.is_over(self.hyperparameters):
            return self.checkpoints.save(state.to_checkpoint(), None)
        trainer_state = {name: getattr(self, name).state_dict() for name in ("module", "optimizer", "scaler")}
        return self.checkpoints.save(state.to_checkpoint(), trainer_state)


def log_epoch(row: Row, epoch: int, epochs: int, note: str = "") -> None:
    """Logs the metrics of an epoch in the format that the pipeline's definition parses."""
    log.info("epoch %d of %d%s", epoch, epochs, f" ({note})" if note else "")
    for name in contract.METRICS:
        log.info(contract.METRIC_LINE.format(name=name, value=f"{row[name]:.6g}"))


def _batch_sums(loss: torch.Tensor, logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Returns the sum of the losses, the number of correct predictions, and the number of samples."""
    correct = (logits.argmax(1) == targets).sum()
    return torch.stack([loss.double(), correct.double(), (targets != IGNORE_INDEX).sum().double()])


def _wrap_distributed(module: nn.Module, group: ProcessGroup) -> nn.Module:
    """Returns the module as all processes train it; the unwrapped module is what is saved, without a prefix."""
    if not group.backend:
        return module
    on_gpu = group.device.type == "cuda"
    return DistributedDataParallel(module, device_ids=[group.device.index] if on_gpu else None)


def _average_buffers(module: nn.Module, group: ProcessGroup) -> None:
    """Averages running statistics over the processes: each has seen only its part of the last step."""
    if group.backend:
        for buffer in module.buffers():
            if buffer.is_floating_point():
                group.all_reduce_sum(buffer).div_(group.rank_info.world_size)
