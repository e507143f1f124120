"""Builds the batches of a training: of pictures for a whole network, or of features if only the head is trained."""

from __future__ import annotations

import logging
from functools import partial

import torch
from torch import nn

import cores
import features
import memory
import picture_dataset
import scratch
from batch_sources import BatchSource, FeatureBatches, PictureBatches
from context import TrainingContext
from feature_cache import CachedFeatures
from split import Split
from stop_signal import StopSignal

_MAX_EVALUATION_BATCH = 64  # no gradients, so the batch size of training does not apply
_MAX_WORKERS = 16
_SHARE_OF_MEMORY = 0.5  # for the features of training and validation, over all processes of a machine
log = logging.getLogger(__name__)


def create(context: TrainingContext, stop: StopSignal) -> tuple[BatchSource, BatchSource]:
    """Prepares the network, and returns the batches for training and for validation."""
    network, splits = context.network, context.splits
    if context.hyperparameters.layers == "all":
        if context.group.device.type == "cuda" and context.group.backend:
            network.backbone = nn.SyncBatchNorm.convert_sync_batchnorm(network.backbone)
        if context.options.compiled:
            network.backbone.compile()
        return _picture_batches(context, splits.train, True), _picture_batches(context, splits.validation, False)
    if context.options.compiled:
        log.info("--compile does nothing with --layers head: what is frozen runs once, and a head has little to gain")
    network.backbone.requires_grad_(False)
    train = _feature_batches(context, splits.train, stop, True)
    return train, _feature_batches(context, splits.validation, stop, False)


def _sampler(
    context: TrainingContext, split: Split, batch: int, seed: int | None
) -> picture_dataset.DistributedBatchSampler:
    place = context.group.rank_info
    return picture_dataset.DistributedBatchSampler(len(split.paths), batch, place.rank, place.world_size, seed)


def _picture_batches(context: TrainingContext, split: Split, is_training: bool) -> PictureBatches:
    seed = context.hyperparameters.seed if is_training else None
    batch = (
        context.hyperparameters.batch_size
        if is_training
        else min(context.hyperparameters.batch_size, _MAX_EVALUATION_BATCH)
    )
    return PictureBatches(
        picture_dataset.PictureDataset(
            split, context.splits.image_size, seed, picture_dataset.Augmentation.of(context.hyperparameters)
        ),
        _sampler(context, split, batch, seed),
        _worker_count(context),
        60 * context.options.wait_minutes,
        context.precision,
        context.mean,
        context.std,
    )


def _feature_batches(context: TrainingContext, split: Split, stop: StopSignal, is_training: bool) -> FeatureBatches:
    """Returns batches of the frozen backbone's features; for training, in a different order each epoch."""
    hyperparameters, group = context.hyperparameters, context.group
    memory_limit = memory.available() * _SHARE_OF_MEMORY / (2 * group.rank_info.local_world_size)
    array = features.extract(
        context.network.backbone,
        _picture_batches(context, split, False),
        group,
        stop,
        CachedFeatures.in_folder(context.options.cache_dir, lambda: _cache_key(context, split)),
        partial(scratch.allocate, memory_limit=memory_limit, folder=context.options.scratch_dir),
    )
    sampler = _sampler(context, split, hyperparameters.batch_size, hyperparameters.seed if is_training else None)
    return FeatureBatches.of(array, split.targets, sampler, group.device)


def _cache_key(context: TrainingContext, split: Split) -> str:
    """Returns the name of a split's features in the cache."""
    settings = {
        "architecture": context.hyperparameters.architecture,
        "weights": features.module_digest(context.network.backbone),
        "side": context.splits.image_size,
        "colors": [context.mean, context.std],
        "computed": [context.precision.name, context.precision.device.type, torch.__version__],
    }
    return features.cache_key(split, context.splits.sha256, settings)


def _worker_count(context: TrainingContext) -> int:
    if context.options.workers is not None:
        return context.options.workers
    processes = context.group.rank_info.local_world_size
    is_on_gpu = context.group.device.type == "cuda"
    return min(_MAX_WORKERS, cores.for_decoding(cores.available(), processes, is_on_gpu))
