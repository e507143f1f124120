"""One split of a data set: a folder of classes with pictures, read in batches of pixels.

Decoding is spread over threads, which Pillow lets run beside each other, and stays ahead of whoever takes the batches.
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
_AHEAD = 2


@dataclass(frozen=True)
class Split:
    """The pictures of a split, and the index of each one's class."""

    paths: tuple[Path, ...]
    targets: tuple[int, ...]


def find(folder: Path, classes: Sequence[str]) -> Split:
    """The pictures below a folder, in the order of classes and names."""
    if not folder.is_dir():
        raise DataError(f"{folder} is no folder; name one of those that {contract.PREPARE} writes")
    indexes = {name: index for index, name in enumerate(classes)}
    strange = sorted(one.name for one in _visible(folder) if one.name not in indexes)
    if strange:
        raise DataError(f"{folder} has {strange[0]}, which is no class of the data set; prepare both together")
    found = [(path, index) for name, index in indexes.items() for path in _visible(folder / name)]
    if not found:
        raise DataError(f"{folder} has no pictures; prepare it again")
    return Split(tuple(path for path, _ in found), tuple(index for _, index in found))


def batches(split: Split, sides: Sequence[int], size: int) -> Iterator[Pixels]:
    """The pixels of all pictures in batches, for each image size that is asked for; each is decoded once."""
    with ThreadPoolExecutor(cores.available()) as pool:
        ahead: deque[list[Future[Pixels]]] = deque()
        for start in range(0, len(split.paths), size):
            ahead.append([pool.submit(read, path, sides) for path in split.paths[start : start + size]])
            if len(ahead) > _AHEAD:
                yield _batch(ahead.popleft(), sides)
        while ahead:
            yield _batch(ahead.popleft(), sides)


def read(path: Path, sides: Sequence[int]) -> Pixels:
    """The pixels of one picture, for each image size."""
    try:
        picture = pictures.decode(path.read_bytes())
    except (OSError, DataError) as error:
        raise DataError(f"{path} {error}") from None
    return {side: tensors.pixels(picture, side) for side in sides}


def _batch(futures: Sequence[Future[Pixels]], sides: Sequence[int]) -> Pixels:
    read_ones = [future.result() for future in futures]
    return {side: torch.stack([one[side] for one in read_ones]) for side in sides}


def _visible(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(one for one in folder.iterdir() if not one.name.startswith("."))
