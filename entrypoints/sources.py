"""Where the batches of a training come from: pictures, decoded anew for every epoch, or features, computed once.

Both give the same thing in the same order, so the loop that trains does not know which it has.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import torch

import tensors
from errors import DataError
from images import NOT_COUNTED, Pictures, Share, loader
from precision import Precision

Batch = tuple[torch.Tensor, torch.Tensor]


class Source(Protocol):
    """Batches of inputs and targets, on the device."""

    @property
    def count(self) -> int:
        """How many samples an epoch has, of all processes together."""

    @property
    def steps(self) -> int:
        """How many batches an epoch has."""

    def size(self, step: int) -> int:
        """How many samples a batch has, of all processes together."""

    def batches(self, epoch: int, first: int = 0) -> Iterator[Batch]:
        """The batches of an epoch from one on."""


@dataclass(frozen=True)
class FromPictures:
    """Batches of normalized pictures."""

    pictures: Pictures
    share: Share
    workers: int
    precision: Precision
    mean: Sequence[float]
    std: Sequence[float]

    @property
    def count(self) -> int:
        """How many samples an epoch has, of all processes together."""
        return len(self.pictures)

    @property
    def steps(self) -> int:
        """How many batches an epoch has."""
        return self.share.steps

    def size(self, step: int) -> int:
        """How many samples a batch has, of all processes together."""
        return self.share.size(step)

    @cached_property
    def _loader(self) -> Any:
        """The processes that read ahead: the same ones for every epoch."""
        return loader(self.pictures, self.share, self.workers, self.precision.device.type == "cuda")

    def _read(self) -> Iterator[Batch]:
        try:
            yield from self._loader
        except DataError as error:
            # What a worker raises comes with its traceback; the reason is the end of it.
            raise DataError(str(error).rpartition("DataError: ")[2].strip()) from None

    def batches(self, epoch: int, first: int = 0) -> Iterator[Batch]:
        """The batches of an epoch from one on."""
        self.share.epoch, self.share.first = epoch, first
        device = self.precision.device
        for pixels, targets in self._read():
            seen = tensors.normalized(pixels.to(device, non_blocking=True), self.mean, self.std)
            yield (
                seen.contiguous(memory_format=self.precision.memory_format),
                targets.to(device, non_blocking=True),
            )


@dataclass(frozen=True)
class FromFeatures:
    """Batches of features, which lie in memory or on disk."""

    features: np.ndarray[Any, Any]
    targets: np.ndarray[Any, Any]
    share: Share
    device: torch.device

    @property
    def count(self) -> int:
        """How many samples an epoch has, of all processes together."""
        return len(self.features)

    @property
    def steps(self) -> int:
        """How many batches an epoch has."""
        return self.share.steps

    def size(self, step: int) -> int:
        """How many samples a batch has, of all processes together."""
        return self.share.size(step)

    def batches(self, epoch: int, first: int = 0) -> Iterator[Batch]:
        """The batches of an epoch from one on."""
        self.share.epoch, self.share.first = epoch, first
        for items in self.share:
            rows = [index for index, _, _ in items]
            targets = np.where([counted for _, _, counted in items], self.targets[rows], NOT_COUNTED)
            yield torch.from_numpy(self.features[rows]).to(self.device), torch.from_numpy(targets).to(self.device)
