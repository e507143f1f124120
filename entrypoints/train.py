"""Train a classifier: in a SageMaker container, on a rented machine, or here.

    python train.py --data DIR --model-dir OUT

DIR has train/ and validation/ (or valid/) with a folder of images for every class, as prepare.py writes them or as the
course project's zip has them. Several processes train together when torchrun, mpirun or SageMaker starts them.
"""

from __future__ import annotations

import logging
import platform
import sys
import time
from dataclasses import asdict

import torch

import command
import debugger_hook
import context
import batches
import model_folder
import options as option
import data_loader
import distributed_run
import atomic_files
from checkpoints import MACHINERY, STATE, Checkpoints
from torch_errors import in_plain_words
from context import Groundwork
from options import Options
from process_group import Ranks, join
from training_state import State
from stop_signal import Stop, StoppedError
from trainer import Trainer, tell
from torchvision_import import torchvision

log = logging.getLogger(__name__)


def main() -> None:
    """Train as the command line and the environment say."""
    options = option.parse(sys.argv[1:])
    ranks = join(options.device, options.backend, 60 * options.wait_minutes)
    stop = Stop()
    stop.listen()
    try:
        distributed_run.work(ranks, lambda: train(options, ranks, stop))
    finally:
        data_loader.dismiss()


def train(options: Options, ranks: Ranks, stop: Stop) -> None:
    """Train on what is there, and write the model directory."""
    with in_plain_words():
        ground = context.lay(options, ranks, stop)
        state = _trained(ground, stop)
    if ranks.is_first:
        # The tuner reads the last value of a metric, and it is the best model that is kept.
        tell(state.best, state.best_epoch + 1, options.hyperparameters.epochs, "best, kept")
        _write(ground, state)


def _trained(ground: Groundwork, stop: Stop) -> State:
    """How the training ends; what is over already is not begun again."""
    options, ranks = ground.options, ground.ranks
    checkpoints = Checkpoints(None)
    if options.checkpoint_dir:
        checkpoints = Checkpoints.of(options.checkpoint_dir, options.checkpoint_minutes, ground.identity())
    saved = ranks.told(checkpoints.load() if ranks.is_first else None)
    if saved and saved[MACHINERY] is None:
        return State.of(saved[STATE])
    started = time.perf_counter()
    train, validation = batches.prepare(ground, stop)
    watch = debugger_hook.watch(ground.learner)
    trainer = Trainer(
        ground.learner, ground.chosen, ground.precision, ranks, checkpoints=checkpoints, stop=stop, watch=watch
    )
    trainer.before = {"seconds:preparation": time.perf_counter() - started}
    if saved:
        trainer.resume(saved)
    try:
        trainer.run(train, validation)
    except StoppedError as stopped:
        if not trainer.state.history:
            raise
        if ranks.is_first:
            _write(ground, trainer.state)
        raise StoppedError(f"{stopped}; {options.model_dir} has the best model so far") from None
    return trainer.state


def _write(ground: Groundwork, state: State) -> None:
    """Write the model directory with the best that the training has been."""
    options = ground.options
    ground.learner.load_state_dict(state.best_module)
    model_folder.write(options.model_dir, ground.network, _described(ground, state), state.history)
    if options.output_dir:
        with atomic_files.whole(options.output_dir / model_folder.HISTORY_FILE) as file:
            file.write((options.model_dir / model_folder.HISTORY_FILE).read_bytes())
    log.info("wrote %s", options.model_dir)


def _described(ground: Groundwork, state: State) -> model_folder.Model:
    chosen, material, ranks = ground.chosen, ground.material, ground.ranks
    versions = {"python": platform.python_version(), "torch": torch.__version__, "torchvision": torchvision.__version__}
    how = {"backend": ranks.backend or "none", "device": ranks.device.type, "precision": ground.precision.name}
    return model_folder.Model(
        architecture=chosen.architecture,
        head_width=chosen.head_width,
        dropout=chosen.dropout,
        classes=material.classes,
        labels=material.labels,
        image_size=material.image_size,
        mean=tuple(ground.mean),
        std=tuple(ground.std),
        hyperparameters=asdict(chosen),
        metrics=state.best,
        dataset_sha256=material.sha256,
        versions={**versions, **how, "processes": str(ranks.place.world)},
    )


if __name__ == "__main__":
    command.run(main)
