"""Computes the features of a frozen backbone once, so that every later epoch costs only the head.

The features are the same for every epoch, trial and head, as long as the pictures and the backbone are. So they are
cached: the next training reads them, and continues with them if this one was stopped.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn

from batch_sources import PictureBatches
from feature_cache import CachedFeatures, PartialFeatures
from process_group import ProcessGroup
from progress import ProgressLog
from scratch import Table
from split import Split
from stop_signal import StoppedError, StopSignal

# Increase this when the same pictures would give different features, for example after a change of decoding.
_FORMAT = 2
log = logging.getLogger(__name__)


def cache_key(split: Split, sha256: str, settings: Mapping[str, Any]) -> str:
    """Hashes what the features of a split depend on: its pictures, and the settings of the network that sees them.

    For a prepared data set, its hash stands for the contents; otherwise every file is read.
    """
    digest = hashlib.sha256(json.dumps({**settings, "data": sha256, "format": _FORMAT}, sort_keys=True).encode())
    for path in split.paths:
        digest.update(f"{path.parent.name}/{path.name} {path.stat().st_size}\n".encode())
        if not sha256:
            digest.update(path.read_bytes())
    return digest.hexdigest()[:32]


def module_digest(module: nn.Module) -> str:
    """Hashes the parameters and buffers of a module."""
    digest = hashlib.sha256()
    for name, value in module.state_dict().items():
        digest.update(name.encode())
        digest.update(value.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def extract(
    backbone: nn.Module,
    source: PictureBatches,
    group: ProcessGroup,
    stop: StopSignal,
    cached: CachedFeatures,
    allocate: Callable[[int, int], Table],
) -> Table:
    """Returns the features of all pictures of a source, in order: from the cache, or computed now."""
    cached_table = _load_cached(cached, source.count, group)
    if cached_table is not None:
        return cached_table
    # Processes in a group wait for each other only for a limited time, so they do not wait for another training.
    wait_seconds = 0 if group.backend else source.timeout_seconds
    with cached.computing(group.rank_info.local_rank == 0, wait_seconds, lambda: stop.requested) as partial:
        cached_table = _load_cached(cached, source.count, group)
        if cached_table is not None:
            return cached_table
        table = _compute(backbone, source, group, stop, partial, allocate)
        partial.commit()
    return table


def _load_cached(cached: CachedFeatures, count: int, group: ProcessGroup) -> Table | None:
    """Loads cached features if every process has them: one that computes alone would wait for the others for ever."""
    cached_table = cached.load(count)
    (any_has_none,) = group.any_true(cached_table is None)
    if cached_table is None or any_has_none:
        return None
    log.info("using cached features of %d pictures from %s", len(cached_table), cached.path)
    return cached_table


def _compute(
    backbone: nn.Module,
    source: PictureBatches,
    group: ProcessGroup,
    stop: StopSignal,
    partial: PartialFeatures,
    allocate: Callable[[int, int], Table],
) -> Table:
    """Computes features batch by batch: every process computes its part, and all of them get all features."""
    backbone.eval()
    computed_before, step_size = partial.load_rows(source.count), source.sampler.batch * source.sampler.world_size
    # The last batch is always computed: it shows the number of columns.
    first_step = min(
        group.minimum(0 if computed_before is None else len(computed_before)) // step_size, source.steps - 1
    )
    done, progress = first_step * step_size, ProgressLog("features", "pictures")
    log.info("features of %d pictures are computed%s", source.count, f", from number {done + 1} on" if done else "")
    table: Table | None = None
    with torch.inference_mode():
        for pictures, _ in source.batches(0, first_step):
            (stop_requested,) = group.any_true(stop.requested)
            if stop_requested:
                cached = "kept" if partial.is_kept else "not kept"
                raise StoppedError(f"the features of {done} of {source.count} pictures are {cached}")
            with source.precision.autocast():
                batch_features = backbone(pictures).float()
            if table is None:
                table = allocate(source.count, batch_features.shape[1])
                if computed_before is not None:
                    table[:done] = computed_before[:done]
                partial.open_at(source.count, batch_features.shape[1], done)
            start, done = done, min(done + step_size, source.count)
            table[start:done] = _gather(batch_features, done - start, group).cpu().numpy()
            partial.add(table[start:done])
            progress.update(done, source.count)
    assert table is not None, "a source has pictures"
    return table


def _gather(batch_features: torch.Tensor, count: int, group: ProcessGroup) -> torch.Tensor:
    """Combines the parts of a batch from all processes."""
    if not group.backend:
        return batch_features
    gathered = torch.zeros((count, batch_features.shape[1]), device=batch_features.device)
    rank_info = group.rank_info
    if rank_info.rank < count:
        gathered[rank_info.rank :: rank_info.world_size] = batch_features
    return group.all_reduce_sum(gathered)
