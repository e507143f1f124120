"""Pictures that nobody has looked at yet: those that cannot be read are left out before the first epoch, not in the
midst of one.

What prepare.py wrote was looked at there. Originals are decoded once in advance, at a fraction of their size where that
is possible, by all cores of a machine. Whatever one of several machines cannot read, none of them takes.
"""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import torch

import cores
import pictures
from errors import DataError
from dataset_splits import Material
from progress import Progress
from process_group import Ranks
from selection import MOST_UNREADABLE
from split import Split
from stop_signal import Stop, StoppedError

_AT_ONCE = 256
log = logging.getLogger(__name__)


def only(found: Material, ranks: Ranks, stop: Stop) -> Material:
    """The material without the pictures that cannot be read."""
    if found.sha256:
        return found
    paths = (*found.train.paths, *found.validation.paths)
    bad = _unreadable(paths, ranks, stop)
    if not bad.any():
        return found
    if bad.sum() > MOST_UNREADABLE * len(paths):
        first = paths[int(bad.nonzero()[0])]
        raise DataError(
            f"{int(bad.sum())} of {len(paths)} pictures cannot be read, more than {MOST_UNREADABLE:.0%}: "
            f"{first} is the first of them, and the log has all; mend or remove them"
        )
    log.info("%d of %d pictures are left out, as they cannot be read", int(bad.sum()), len(paths))
    of_train, of_validation = bad.split([len(found.train.paths), len(found.validation.paths)])
    train, validation = _without(found.train, of_train), _without(found.validation, of_validation)
    lost = set(found.train.targets) - set(train.targets)
    if lost or not validation.paths:
        place = f"of {found.classes[min(lost)]} to train on" if lost else "to validate on"
        raise DataError(f"no picture {place} can be read; add others, or remove the class everywhere")
    return replace(found, train=train, validation=validation)


def _unreadable(paths: tuple[Path, ...], ranks: Ranks, stop: Stop) -> torch.Tensor:
    """For each picture whether any process found it unreadable; those of a machine share the work."""
    place, progress = ranks.place, Progress("looking at originals", "pictures")
    mine = range(place.local_rank, len(paths), place.local_world)
    bad = torch.zeros(len(paths), device=ranks.device)
    with ThreadPoolExecutor(max(1, cores.available() // place.local_world)) as pool:
        for start in range(0, len(mine), _AT_ONCE):
            if stop.asked:
                break
            numbers = mine[start : start + _AT_ONCE]
            for number, reason in zip(numbers, pool.map(_problem, [paths[one] for one in numbers]), strict=True):
                if reason:
                    log.warning("left out: %s %s", paths[number], reason)
                    bad[number] = 1
            progress.at(min(start + _AT_ONCE, len(mine)), len(mine))
    (asked,) = ranks.any_says(stop.asked)
    if asked:
        raise StoppedError("the training had not begun")
    return ranks.summed(bad).cpu() > 0


def _problem(path: Path) -> str:
    """Why a picture cannot be read; nothing where it can."""
    try:
        pictures.decode(path.read_bytes(), short_side=1)
    except DataError as error:
        return str(error)
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    return ""


def _without(split: Split, bad: torch.Tensor) -> Split:
    kept = [number for number, is_bad in enumerate(bad.tolist()) if not is_bad]
    return Split(tuple(split.paths[number] for number in kept), tuple(split.targets[number] for number in kept))
