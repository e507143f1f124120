"""Removes unreadable pictures from a training before its first epoch, instead of failing in the middle.

Pictures from prepare.py were checked there. Others are decoded once, at a fraction of their size if possible, on all
cores. If one of several machines cannot read a picture, all of them leave it out.
"""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import torch

import cores
import pictures
from dataset_splits import DatasetSplits
from errors import DataError
from process_group import ProcessGroup
from progress import ProgressLog
from selection import MAX_UNREADABLE_SHARE
from split import Split
from stop_signal import StoppedError, StopSignal

_CHUNK = 256
log = logging.getLogger(__name__)


def drop_unreadable(splits: DatasetSplits, group: ProcessGroup, stop: StopSignal) -> DatasetSplits:
    """Returns the splits without the pictures that cannot be read."""
    if splits.sha256:
        return splits
    paths = (*splits.train.paths, *splits.validation.paths)
    unreadable = _find_unreadable(paths, group, stop)
    if not unreadable.any():
        return splits
    if unreadable.sum() > MAX_UNREADABLE_SHARE * len(paths):
        first = paths[int(unreadable.nonzero()[0])]
        raise DataError(
            f"{int(unreadable.sum())} of {len(paths)} pictures cannot be read, more than {MAX_UNREADABLE_SHARE:.0%}: "
            f"{first} is the first of them, and the log lists all",
            "repair or remove them",
        )
    log.info("%d of %d pictures are left out because they cannot be read", int(unreadable.sum()), len(paths))
    train_mask, validation_mask = unreadable.split([len(splits.train.paths), len(splits.validation.paths)])
    train, validation = (
        _without_pictures(splits.train, train_mask),
        _without_pictures(splits.validation, validation_mask),
    )
    emptied = set(splits.train.targets) - set(train.targets)
    if emptied or not validation.paths:
        purpose = f"of {splits.classes[min(emptied)]} to train on" if emptied else "to validate on"
        raise DataError(f"no picture {purpose} can be read", "add others, or remove the class everywhere")
    return replace(splits, train=train, validation=validation)


def _find_unreadable(paths: tuple[Path, ...], group: ProcessGroup, stop: StopSignal) -> torch.Tensor:
    """Returns for each picture whether any process could not read it; processes of one machine share the work."""
    rank_info, progress = group.rank_info, ProgressLog("checking originals", "pictures")
    own_indexes = range(rank_info.local_rank, len(paths), rank_info.local_world_size)
    unreadable = torch.zeros(len(paths), device=group.device)
    with ThreadPoolExecutor(max(1, cores.available() // rank_info.local_world_size)) as pool:
        for start in range(0, len(own_indexes), _CHUNK):
            if stop.requested:
                break
            indexes = own_indexes[start : start + _CHUNK]
            for index, reason in zip(indexes, pool.map(_read_error, [paths[index] for index in indexes]), strict=True):
                if reason:
                    log.warning("left out: %s %s", paths[index], reason)
                    unreadable[index] = 1
            progress.update(min(start + _CHUNK, len(own_indexes)), len(own_indexes))
    (stop_requested,) = group.any_true(stop.requested)
    if stop_requested:
        raise StoppedError("the training had not started")
    return group.all_reduce_sum(unreadable).cpu() > 0


def _read_error(path: Path) -> str:
    """Returns why a picture cannot be read; empty if it can."""
    try:
        pictures.decode(path.read_bytes(), short_side=1)
    except DataError as error:
        return str(error)
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    return ""


def _without_pictures(split: Split, unreadable: torch.Tensor) -> Split:
    readable = [index for index, is_unreadable in enumerate(unreadable.tolist()) if not is_unreadable]
    return Split(tuple(split.paths[index] for index in readable), tuple(split.targets[index] for index in readable))
