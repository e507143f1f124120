"""Train a classifier: in a SageMaker container, on a rented machine, or here.

    python train.py --data DIR --model-dir OUT

DIR has train/ and validation/ (or valid/) with a folder of images for every class, as prepare.py writes them or as the
course project's zip has them. Several processes train together when torchrun, mpirun or SageMaker starts them.
"""

from __future__ import annotations

import logging
import os
import platform
import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import gettempdir

import numpy as np
import torch
from torch import nn

import command
import dataset
import debugger_hook
import features
import images
import model_folder
import networks
import options as option
import precision as formats
import split
from checkpoints import Checkpoints, Stop
from errors import ScriptError
from options import Options
from precision import Precision
from ranks import Ranks, join
from sources import FromFeatures, FromPictures, Source
from split import Split
from training import Progress, StoppedError, Trainer
from vision import torchvision

STOPPED_EXIT = 143
_MOST_AT_ONCE = 64  # pictures that are only looked at: the size of a step is none of their business
_MOST_WORKERS = 16
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Material:
    """The images of a training, and what is known of them."""

    train: Split
    validation: Split
    classes: tuple[str, ...]
    labels: tuple[str, ...]
    image_size: int
    sha256: str


def main() -> None:
    """Train as the command line and the environment say."""
    options = option.parse(sys.argv[1:])
    ranks = join(options.device, options.backend)
    stop = Stop()
    stop.listen()
    try:
        train(options, ranks, stop)
    except StoppedError:
        kept = "the next start with the same flags goes on from here" if options.checkpoint_dir else "nothing was saved"
        log.info("stopped; %s", kept)
        ranks.leave(STOPPED_EXIT)
        sys.exit(STOPPED_EXIT)
    except ScriptError as mistake:
        if ranks.backend:
            command.tell(mistake)
            ranks.leave(command.MISTAKE_EXIT)
        raise
    ranks.leave()


def train(options: Options, ranks: Ranks, stop: Stop) -> None:
    """Train on what is there, and write the model directory."""
    material = find_material(options)
    precision = formats.choose(options.hyperparameters.precision, ranks.device)
    log.info("%d + %d images of %d classes, in %s on %s", len(material.train.paths), len(material.validation.paths),
             len(material.classes), precision.name, ranks.device)  # fmt: skip
    network, mean, std = _network(options, material, ranks, precision)
    started = time.perf_counter()
    module, sources = _prepared(options, material, ranks, precision, network, mean, std)
    checkpoints = checkpoints_of(options, material, ranks, precision, network)
    trainer = Trainer(module, options.hyperparameters, precision, ranks)
    trainer.before = {"seconds:preparation": time.perf_counter() - started}
    debugger_hook.watch(module, trainer.criterion)
    progress = trainer.run(*sources, checkpoints, stop)
    if ranks.is_first:
        model = _described(options, material, ranks, precision, progress, mean, std)
        model_folder.write(options.model_dir, network, model, progress.history)
        if options.output_dir:
            options.output_dir.mkdir(parents=True, exist_ok=True)
            shutil.copy(options.model_dir / model_folder.HISTORY_FILE, options.output_dir)
        log.info("wrote %s", options.model_dir)


def find_material(options: Options) -> Material:
    """The images, and what dataset.json says of them where there is one."""
    described = dataset.read(options.dataset) if options.dataset else None
    classes = described.classes if described else images.class_names(options.train)
    return Material(
        train=split.find(options.train, classes),
        validation=split.find(options.validation, classes),
        classes=classes,
        labels=described.labels if described else tuple(dataset.label(name) for name in classes),
        image_size=options.image_size or (described.image_size if described else 224),
        sha256=described.sha256 if described else "",
    )


def checkpoints_of(
    options: Options, material: Material, ranks: Ranks, precision: Precision, network: networks.Classifier
) -> Checkpoints:
    """The checkpoints of this very training, and of no other."""
    paths = (*material.train.paths, *material.validation.paths)
    identity = {
        **asdict(options.hyperparameters),
        "classes": material.classes,
        "data": material.sha256 or [f"{path.parent.name}/{path.name} {path.stat().st_size}" for path in paths],
        "image_size": material.image_size,
        "weights": features.digest_of(network),
        "processes": ranks.place.world,
        "computed in": precision.name,
    }
    return Checkpoints.of(options.checkpoint_dir, identity)


def _network(
    options: Options, material: Material, ranks: Ranks, precision: Precision
) -> tuple[networks.Classifier, Sequence[float], Sequence[float]]:
    """The network on its device, and the colors that it is used to."""
    chosen = options.hyperparameters
    weights = options.weights_file or chosen.weights
    torch.manual_seed(chosen.seed)
    if ranks.place.local_rank:
        ranks.wait()  # the first process of a machine fetches the weights
    network = networks.build(
        chosen.architecture,
        len(material.classes),
        head_width=chosen.head_width,
        dropout=chosen.dropout,
        weights=weights,
        image_size=material.image_size,
    )
    if not ranks.place.local_rank:
        ranks.wait()
    mean, std = networks.normalisation(chosen.architecture, weights)
    return network.to(ranks.device, memory_format=precision.memory_format), mean, std


def _prepared(
    options: Options,
    material: Material,
    ranks: Ranks,
    precision: Precision,
    network: networks.Classifier,
    mean: Sequence[float],
    std: Sequence[float],
) -> tuple[nn.Module, tuple[Source, Source]]:
    """What is trained, and on what: the whole network on pictures, or its head on features."""
    chosen = options.hyperparameters
    workers = _workers(options, ranks)

    def pictures_of(folder: Split, varied: bool) -> FromPictures:
        seed = chosen.seed if varied else None
        batch = chosen.batch_size if varied else min(chosen.batch_size, _MOST_AT_ONCE)
        share = images.Share(len(folder.paths), batch, ranks.place.rank, ranks.place.world, seed)
        return FromPictures(images.Pictures(folder, material.image_size, seed), share, workers, precision, mean, std)

    if chosen.layers == "all":
        if ranks.device.type == "cuda" and ranks.backend:
            network.backbone = nn.SyncBatchNorm.convert_sync_batchnorm(network.backbone)
        if options.compiled:
            network.backbone.compile()
        return network, (pictures_of(material.train, True), pictures_of(material.validation, False))
    network.backbone.requires_grad_(False)
    seen = {
        "architecture": chosen.architecture,
        "weights": features.digest_of(network.backbone),
        "side": material.image_size,
        "precision": precision.name,
    }
    found = []
    for folder, varied in ((material.train, True), (material.validation, False)):
        kept = options.cache_dir / f"{features.identity(folder, seen)}.npy" if options.cache_dir else None
        array = features.of(network.backbone, pictures_of(folder, False), ranks, kept, Path(gettempdir()))
        share = images.Share(
            len(folder.paths), chosen.batch_size, ranks.place.rank, ranks.place.world, chosen.seed if varied else None
        )
        found.append(FromFeatures(array, np.array(folder.targets), share, ranks.device))
    return network.head, (found[0], found[1])


def _workers(options: Options, ranks: Ranks) -> int:
    """Processes that decode: all cores for a GPU; beside a CPU that computes itself, half of them."""
    if options.workers is not None:
        return options.workers
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    here = int(os.environ.get("LOCAL_WORLD_SIZE") or os.environ.get("OMPI_COMM_WORLD_LOCAL_SIZE") or 1)
    return min(_MOST_WORKERS, max(1, cores // max(1, here) // (1 if ranks.device.type == "cuda" else 2)))


def _described(
    options: Options,
    material: Material,
    ranks: Ranks,
    precision: Precision,
    progress: Progress,
    mean: Sequence[float],
    std: Sequence[float],
) -> model_folder.Model:
    chosen = options.hyperparameters
    versions = {"python": platform.python_version(), "torch": torch.__version__, "torchvision": torchvision.__version__}
    how = {"backend": ranks.backend or "none", "device": ranks.device.type, "precision": precision.name}
    return model_folder.Model(
        architecture=chosen.architecture,
        head_width=chosen.head_width,
        dropout=chosen.dropout,
        classes=material.classes,
        labels=material.labels,
        image_size=material.image_size,
        mean=tuple(mean),
        std=tuple(std),
        hyperparameters=asdict(chosen),
        metrics=progress.best,
        dataset_sha256=material.sha256,
        versions={**versions, **how, "processes": str(ranks.place.world)},
    )


if __name__ == "__main__":
    command.run(main)
