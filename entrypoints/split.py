"""One split of a data set: a folder per class with pictures, read in batches of pixels.

Threads decode ahead of the consumer; Pillow releases the GIL.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import torch

import contract
import cores
import pictures
import tensors
from errors import DataError

Pixels = dict[int, torch.Tensor]
_BATCHES_AHEAD = 2


@dataclass(frozen=True)
class Split:
    """The paths of a split's pictures, and the index of each one's class."""

    paths: tuple[Path, ...]
    targets: tuple[int, ...]


def load(folder: Path, classes: Sequence[str]) -> Split:
    """Finds the pictures below a folder, ordered by class and name."""
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder", f"name one of those that {contract.PREPARE} writes")
    indexes = {name: index for index, name in enumerate(classes)}
    unknown = sorted(entry.name for entry in _visible_entries(folder) if entry.name not in indexes)
    if unknown:
        raise DataError(f"{folder} has {unknown[0]}, which is not a class of the data set", "prepare both together")
    pictures_found = [(path, index) for name, index in indexes.items() for path in _visible_entries(folder / name)]
    if not pictures_found:
        raise DataError(f"{folder} has no pictures", "prepare it again")
    return Split(tuple(path for path, _ in pictures_found), tuple(index for _, index in pictures_found))


def batches(split: Split, sides: Sequence[int], size: int) -> Iterator[Pixels]:
    """Yields the pixels of all pictures in batches, for each image size; each picture is decoded once."""
    with ThreadPoolExecutor(cores.available()) as pool:
        pending: deque[list[Future[Pixels]]] = deque()
        for start in range(0, len(split.paths), size):
            pending.append([pool.submit(read_pixels, path, sides) for path in split.paths[start : start + size]])
            if len(pending) > _BATCHES_AHEAD:
                yield _batch(pending.popleft(), sides)
        while pending:
            yield _batch(pending.popleft(), sides)


def read_pixels(path: Path, sides: Sequence[int]) -> Pixels:
    """Returns the pixels of one picture, for each image size."""
    try:
        picture = pictures.decode(path.read_bytes())
    except DataError as error:
        raise error.about(path) from None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}", "check the file and its disk") from None
    return {side: tensors.pixels(picture, side) for side in sides}


def _batch(futures: Sequence[Future[Pixels]], sides: Sequence[int]) -> Pixels:
    read_pictures = [future.result() for future in futures]
    return {side: torch.stack([entry[side] for entry in read_pictures]) for side in sides}


def _visible_entries(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
