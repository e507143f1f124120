"""What a training learns from: pictures for a whole network, or, for its head alone, the features of a frozen rest."""

from __future__ import annotations

import logging
from functools import partial

import torch
from torch import nn

import cores
import features
import picture_dataset
import memory
import scratch
from context import Groundwork
from feature_cache import Kept
from batch_sources import FromFeatures, FromPictures, Source
from split import Split
from stop_signal import Stop

_MOST_AT_ONCE = 64  # pictures that are only looked at: the size of a step is none of their business
_MOST_WORKERS = 16
_SHARE_OF_MEMORY = 0.5  # for the features of training and validation, of all processes of a machine
log = logging.getLogger(__name__)


def prepare(ground: Groundwork, stop: Stop) -> tuple[Source, Source]:
    """What to train on and what to validate on; the network is made ready for it."""
    network, splits = ground.network, (ground.material.train, ground.material.validation)
    if ground.chosen.layers == "all":
        if ground.ranks.device.type == "cuda" and ground.ranks.backend:
            network.backbone = nn.SyncBatchNorm.convert_sync_batchnorm(network.backbone)
        if ground.options.compiled:
            network.backbone.compile()
        train, validation = (_pictures(ground, split, split is splits[0]) for split in splits)
        return train, validation
    if ground.options.compiled:
        log.info("--compile does nothing with --layers head: what is frozen runs once, and a head has little to gain")
    network.backbone.requires_grad_(False)
    of_train, of_validation = (_features(ground, split, stop, split is splits[0]) for split in splits)
    return of_train, of_validation


def _share(ground: Groundwork, split: Split, batch: int, seed: int | None) -> picture_dataset.Share:
    place = ground.ranks.place
    return picture_dataset.Share(len(split.paths), batch, place.rank, place.world, seed)


def _pictures(ground: Groundwork, split: Split, is_varied: bool) -> FromPictures:
    seed = ground.chosen.seed if is_varied else None
    batch = ground.chosen.batch_size if is_varied else min(ground.chosen.batch_size, _MOST_AT_ONCE)
    return FromPictures(
        picture_dataset.Pictures(split, ground.material.image_size, seed),
        _share(ground, split, batch, seed),
        _workers(ground),
        60 * ground.options.wait_minutes,
        ground.precision,
        ground.mean,
        ground.std,
    )


def _features(ground: Groundwork, split: Split, stop: Stop, is_varied: bool) -> FromFeatures:
    """Of a frozen backbone, in an order that varies where it is learned from."""
    chosen, ranks = ground.chosen, ground.ranks
    enough = memory.available() * _SHARE_OF_MEMORY / (2 * ranks.place.local_world)
    array = features.of(
        ground.network.backbone,
        _pictures(ground, split, False),
        ranks,
        stop,
        Kept.below(ground.options.cache_dir, lambda: _name(ground, split)),
        partial(scratch.table, memory=enough, folder=ground.options.scratch_dir),
    )
    share = _share(ground, split, chosen.batch_size, chosen.seed if is_varied else None)
    return FromFeatures.of(array, split.targets, share, ranks.device)


def _name(ground: Groundwork, split: Split) -> str:
    """What the features of a split are called where they are kept."""
    seen = {
        "architecture": ground.chosen.architecture,
        "weights": features.digest_of(ground.network.backbone),
        "side": ground.material.image_size,
        "colors": [ground.mean, ground.std],
        "computed": [ground.precision.name, ground.precision.device.type, torch.__version__],
    }
    return features.identity(split, ground.material.sha256, seen)


def _workers(ground: Groundwork) -> int:
    """Processes that decode: all cores for a GPU; beside a CPU that computes itself, half of them."""
    if ground.options.workers is not None:
        return ground.options.workers
    is_beside = ground.ranks.device.type != "cuda"
    return min(_MOST_WORKERS, max(1, cores.available() // ground.ranks.place.local_world // (2 if is_beside else 1)))
