"""Folders of images by class, and the batches that are read from them.

A batch is bytes: pictures are decoded, cropped and flipped by worker processes, and become numbers on the device. What
happens to a picture depends on the seed, the epoch and the picture alone: not on how many workers or processes there
are, so that an interrupted epoch goes on as if nothing had been.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch.utils import data

import pictures
import tensors
from errors import DataError
from split import Split

_LEAST_AREA = 0.35
NOT_COUNTED = -1
Item = tuple[int, int, bool]
"""Which picture, in which epoch, and whether it counts: whoever has no part of a batch looks at one all the same."""


def class_names(folder: Path) -> tuple[str, ...]:
    """The classes of a folder: its folders, in order."""
    names = tuple(sorted(path.name for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")))
    if len(names) < 2:
        raise DataError(f"{folder} has {len(names)} folders of classes; a classifier needs two or more")
    return names


class Pictures(data.Dataset[tuple[torch.Tensor, int]]):
    """The pictures of a split as bytes: the middle of each, or a part that differs from epoch to epoch."""

    def __init__(self, folder: Split, side: int, seed: int | None = None) -> None:
        self.folder, self.side, self.seed = folder, side, seed

    def __len__(self) -> int:
        return len(self.folder.paths)

    def __getitem__(self, item: Item) -> tuple[torch.Tensor, int]:
        index, epoch, counted = item
        target = self.folder.targets[index] if counted else NOT_COUNTED
        path = self.folder.paths[index]
        try:
            # A large JPEG comes at twice the side: the smallest part that is taken of it still has the network's size.
            picture = pictures.decode(path.read_bytes(), short_side=self.side)
        except (DataError, OSError) as error:
            raise DataError(f"{path} {error}") from None
        if self.seed is None:
            return tensors.pixels(picture, self.side), target
        varied = vary(picture, self.side, np.random.default_rng((self.seed, epoch, index)))
        return torch.from_numpy(np.array(varied)).permute(2, 0, 1), target


def vary(picture: Image.Image, side: int, chance: np.random.Generator) -> Image.Image:
    """A part of a picture at the size of the network, sometimes mirrored: what the network shall not mind."""
    area, ratio = chance.uniform(_LEAST_AREA, 1.0), np.exp(chance.uniform(np.log(3 / 4), np.log(4 / 3)))
    whole = picture.width * picture.height * area
    width = min(picture.width, max(1, round((whole * ratio) ** 0.5)))
    height = min(picture.height, max(1, round((whole / ratio) ** 0.5)))
    left, top = chance.integers(picture.width - width + 1), chance.integers(picture.height - height + 1)
    box = (int(left), int(top), int(left) + width, int(top) + height)
    part = picture.resize((side, side), Image.Resampling.BILINEAR, box=box)
    return part.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if chance.random() < 0.5 else part


class Share(data.Sampler[list[Item]]):
    """One process's part of every batch of an epoch: all batches are cut from one order, which every process knows."""

    def __init__(self, count: int, batch: int, rank: int, world: int, seed: int | None) -> None:
        self.count, self.batch, self.rank, self.world, self.seed = count, batch, rank, world, seed
        self.epoch, self.first = 0, 0

    def __len__(self) -> int:
        return max(0, self.steps - self.first)

    @property
    def steps(self) -> int:
        """How many batches an epoch has."""
        whole = self.batch * self.world
        steps = -(-self.count // whole)
        # A last batch of next to nothing would have no variance to normalize by: it goes with the one before.
        too_few = self.seed is not None and steps > 1 and self.count - (steps - 1) * whole < 2 * self.world
        return steps - 1 if too_few else steps

    def size(self, step: int) -> int:
        """How many samples a batch has, of all processes together."""
        whole = self.batch * self.world
        return self.count - step * whole if step == self.steps - 1 else whole

    def __iter__(self) -> Iterator[list[Item]]:
        order = np.arange(self.count)
        if self.seed is not None:
            np.random.default_rng((self.seed, self.epoch)).shuffle(order)
        for step in range(self.first, self.steps):
            start = step * self.batch * self.world
            part = order[start : start + self.size(step)][self.rank :: self.world]
            mine = [(int(index), self.epoch, True) for index in part]
            yield mine or [(int(order[start]), self.epoch, False)]
