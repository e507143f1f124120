"""The torch Dataset of a split's pictures, and the sampler that distributes batches over processes.

A batch is bytes: worker processes decode, crop and flip pictures, and the device converts them to floats. What happens
to a picture depends only on the seed, the epoch and its index, not on the number of workers or processes, so that an
interrupted epoch continues exactly.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch.utils import data

import pictures
import tensors
from errors import DataError
from hyperparameters import Hyperparameters
from split import Split

IGNORE_INDEX = -1
SampleKey = tuple[int, int, bool]
"""The index of a picture, the epoch, and whether it counts: an empty part of a batch gets one that does not count."""


def class_names(folder: Path) -> tuple[str, ...]:
    """Returns the classes of a folder: the names of its folders, sorted."""
    names = tuple(sorted(path.name for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")))
    if len(names) < 2:
        raise DataError(f"{folder} has {len(names)} folders of classes", "a classifier needs two or more")
    return names


@dataclass(frozen=True)
class Augmentation:
    """How a training picture varies from epoch to epoch."""

    min_crop_area: float
    flip_probability: float

    @classmethod
    def of(cls, hyperparameters: Hyperparameters) -> Augmentation:
        return cls(hyperparameters.min_crop_area, hyperparameters.flip_probability)


DEFAULT_AUGMENTATION = Augmentation.of(Hyperparameters())


class PictureDataset(data.Dataset[tuple[torch.Tensor, int]]):
    """The pictures of a split as bytes: the center crop, or with a seed, a random crop that differs by epoch."""

    def __init__(
        self, folder: Split, side: int, seed: int | None = None, augmentation: Augmentation = DEFAULT_AUGMENTATION
    ) -> None:
        self.folder, self.side, self.seed, self.augmentation = folder, side, seed, augmentation

    def __len__(self) -> int:
        return len(self.folder.paths)

    def __getitem__(self, item: SampleKey) -> tuple[torch.Tensor, int]:
        index, epoch, is_counted = item
        target = self.folder.targets[index] if is_counted else IGNORE_INDEX
        path = self.folder.paths[index]
        try:
            # A large JPEG is decoded at twice the side, so that even the smallest crop has the network's size.
            picture = pictures.decode(path.read_bytes(), short_side=self.side)
        except DataError as error:
            raise error.about(path) from None
        except OSError as error:
            raise DataError(f"{path} cannot be read: {error.strerror}", "check the file and its disk") from None
        if self.seed is None:
            return tensors.pixels(picture, self.side), target
        rng = np.random.default_rng((self.seed, epoch, index))
        augmented = augment(picture, self.side, rng, self.augmentation)
        return torch.from_numpy(np.array(augmented)).permute(2, 0, 1), target


def augment(
    picture: Image.Image, side: int, rng: np.random.Generator, augmentation: Augmentation = DEFAULT_AUGMENTATION
) -> Image.Image:
    """Returns a random crop at the network's size, perhaps flipped."""
    share, ratio = rng.uniform(augmentation.min_crop_area, 1.0), np.exp(rng.uniform(np.log(3 / 4), np.log(4 / 3)))
    crop_area = picture.width * picture.height * share
    width = min(picture.width, max(1, round((crop_area * ratio) ** 0.5)))
    height = min(picture.height, max(1, round((crop_area / ratio) ** 0.5)))
    left, top = rng.integers(picture.width - width + 1), rng.integers(picture.height - height + 1)
    box = (int(left), int(top), int(left) + width, int(top) + height)
    crop = picture.resize((side, side), Image.Resampling.BILINEAR, box=box)
    return crop.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if rng.random() < augmentation.flip_probability else crop


class DistributedBatchSampler(data.Sampler[list[SampleKey]]):
    """Yields one process's part of every batch. All processes cut their batches from the same shuffled order."""

    def __init__(self, count: int, batch: int, rank: int, world_size: int, seed: int | None) -> None:
        self.count, self.batch, self.rank, self.world_size, self.seed = count, batch, rank, world_size, seed
        self.epoch, self.first = 0, 0

    def __len__(self) -> int:
        return max(0, self.steps - self.first)

    @property
    def steps(self) -> int:
        """The number of batches in an epoch."""
        step_size = self.batch * self.world_size
        steps = -(-self.count // step_size)
        # A very small last batch has no variance to normalize by, so it joins the one before.
        is_last_too_small = (
            self.seed is not None and steps > 1 and self.count - (steps - 1) * step_size < 2 * self.world_size
        )
        return steps - 1 if is_last_too_small else steps

    def size(self, step: int) -> int:
        """Returns the number of samples in a batch, over all processes."""
        step_size = self.batch * self.world_size
        return self.count - step * step_size if step == self.steps - 1 else step_size

    def __iter__(self) -> Iterator[list[SampleKey]]:
        order = np.arange(self.count)
        if self.seed is not None:
            np.random.default_rng((self.seed, self.epoch)).shuffle(order)
        for step in range(self.first, self.steps):
            start = step * self.batch * self.world_size
            own_indexes = order[start : start + self.size(step)][self.rank :: self.world_size]
            own = [(int(index), self.epoch, True) for index in own_indexes]
            yield own or [(int(order[start]), self.epoch, False)]
