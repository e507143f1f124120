"""Trains a classifier: in a SageMaker container, on a rented machine, or on this one.

    python train.py --data DIR --model-dir OUT

DIR has train/ and validation/ (or valid/) with a folder of images for every class, as prepare.py writes them or as the
course project's zip has them. Several processes train together if torchrun, mpirun or SageMaker starts them.
"""

from __future__ import annotations

import logging
import platform
import sys
import time
from dataclasses import asdict

import torch

import atomic_files
import batches
import command
import data_loader
import debugger_hook
import distributed_run
import model_folder
import options as command_line
from checkpoints import STATE, TRAINER_STATE, Checkpoints
from context import TrainingContext, create_context
from options import TrainingOptions
from process_group import ProcessGroup, join
from stop_signal import StoppedError, StopSignal
from torch_errors import translate_torch_errors
from torchvision_import import torchvision
from trainer import Trainer, log_epoch
from training_state import TrainingState

log = logging.getLogger(__name__)


def main() -> None:
    """Trains as the command line and the environment say."""
    options = command_line.parse(sys.argv[1:])
    group = join(options.device, options.backend, 60 * options.wait_minutes)
    stop = StopSignal()
    stop.listen()
    try:
        distributed_run.run_on_all_ranks(group, lambda: train(options, group, stop))
    finally:
        data_loader.kill_workers()


def train(options: TrainingOptions, group: ProcessGroup, stop: StopSignal) -> None:
    """Trains, and writes the model directory."""
    with translate_torch_errors():
        context = create_context(options, group, stop)
        state = _run_training(context, stop)
    if group.is_main:
        # The tuner reads the last value of a metric, and the best model is the one that is kept.
        log_epoch(state.best, state.best_epoch + 1, options.hyperparameters.epochs, "best, kept")
        _write_model(context, state)


def _run_training(context: TrainingContext, stop: StopSignal) -> TrainingState:
    """Returns the final state; a training that is already over is only loaded."""
    options, group = context.options, context.group
    checkpoints = Checkpoints(None)
    if options.checkpoint_dir:
        checkpoints = Checkpoints.for_training(options.checkpoint_dir, options.checkpoint_minutes, context.identity())
    checkpoint = group.broadcast(checkpoints.load() if group.is_main else None)
    if checkpoint and checkpoint[TRAINER_STATE] is None:
        return TrainingState.from_checkpoint(checkpoint[STATE])
    started = time.perf_counter()
    train, validation = batches.create(context, stop)
    debugger = debugger_hook.register(context.trained_module)
    trainer = Trainer(
        context.trained_module,
        context.hyperparameters,
        context.precision,
        group,
        checkpoints=checkpoints,
        stop=stop,
        hook=debugger,
    )
    trainer.preparation = {"seconds:preparation": time.perf_counter() - started}
    if checkpoint:
        trainer.resume(checkpoint)
    try:
        trainer.run(train, validation)
    except StoppedError as error:
        if not trainer.state.history:
            raise
        if group.is_main:
            _write_model(context, trainer.state)
        raise StoppedError(f"{error}; {options.model_dir} has the best model so far") from None
    return trainer.state


def _write_model(context: TrainingContext, state: TrainingState) -> None:
    """Writes the model directory with the best weights."""
    options = context.options
    context.trained_module.load_state_dict(state.best_module)
    model_folder.write(options.model_dir, context.network, _model_description(context, state), state.history)
    if options.output_dir:
        with atomic_files.open_atomically(options.output_dir / model_folder.HISTORY_FILE) as file:
            file.write((options.model_dir / model_folder.HISTORY_FILE).read_bytes())
    log.info("wrote %s", options.model_dir)


def _model_description(context: TrainingContext, state: TrainingState) -> model_folder.ModelDescription:
    hyperparameters, splits, group = context.hyperparameters, context.splits, context.group
    versions = {"python": platform.python_version(), "torch": torch.__version__, "torchvision": torchvision.__version__}
    how = {"backend": group.backend or "none", "device": group.device.type, "precision": context.precision.name}
    return model_folder.ModelDescription(
        architecture=hyperparameters.architecture,
        head_width=hyperparameters.head_width,
        dropout=hyperparameters.dropout,
        classes=splits.classes,
        labels=splits.labels,
        image_size=splits.image_size,
        mean=tuple(context.mean),
        std=tuple(context.std),
        hyperparameters=asdict(hyperparameters),
        metrics=state.best,
        dataset_sha256=splits.sha256,
        versions={**versions, **how, "processes": str(group.rank_info.world_size)},
    )


if __name__ == "__main__":
    command.run(main)
