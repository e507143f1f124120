"""Where the batches of a training come from: pictures, decoded anew for every epoch, or features, computed once.

Both give the same thing in the same order, so the loop that trains does not know which it has.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import torch

import data_loader
import tensors
from picture_dataset import NOT_COUNTED, Pictures, Share
from precision import Precision
from data_loader import Batch

# The features of training and of validation are kept, and the head needs next to nothing beside them.
_SHARE_OF_GPU = 0.25
log = logging.getLogger(__name__)


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


class _Shared:
    """What both kinds have from the share that a process has of every batch."""

    share: Share

    @property
    def count(self) -> int:
        """How many samples an epoch has, of all processes together."""
        return self.share.count

    @property
    def steps(self) -> int:
        """How many batches an epoch has."""
        return self.share.steps

    def size(self, step: int) -> int:
        """How many samples a batch has, of all processes together."""
        return self.share.size(step)


@dataclass(frozen=True)
class FromPictures(_Shared):
    """Batches of normalized pictures."""

    pictures: Pictures
    share: Share
    workers: int
    patience: float
    precision: Precision
    mean: Sequence[float]
    std: Sequence[float]

    def batches(self, epoch: int, first: int = 0) -> Iterator[Batch]:
        """The batches of an epoch from one on."""
        self.share.epoch, self.share.first = epoch, first
        device = self.precision.device
        for pixels, targets in data_loader.batches(self._loader):
            seen = tensors.normalized(pixels.to(device, non_blocking=True), self.mean, self.std)
            yield (
                seen.contiguous(memory_format=self.precision.memory_format),
                targets.to(device, non_blocking=True),
            )

    @cached_property
    def _loader(self) -> Any:
        """The processes that read ahead: the same ones for every epoch."""
        pinned = self.precision.device.type == "cuda"
        return data_loader.loader(self.pictures, self.share, self.workers, pinned, self.patience)


@dataclass(frozen=True)
class FromFeatures(_Shared):
    """Batches of features, which lie on the device, or where it gets them from batch by batch."""

    features: torch.Tensor
    targets: torch.Tensor
    share: Share
    device: torch.device

    @classmethod
    def of(
        cls, array: np.ndarray[Any, Any], targets: Sequence[int], share: Share, device: torch.device
    ) -> FromFeatures:
        """Those of an array in memory or on disk: on the device, where they fit."""
        features, place = torch.from_numpy(array), torch.device("cpu")
        if device.type == "cuda" and array.nbytes <= torch.cuda.mem_get_info(device)[0] * _SHARE_OF_GPU:
            place = device
            log.info("%d MB of features are kept on %s", array.nbytes // 10**6, device)
        return cls(features.to(place), torch.tensor(targets, device=place), share, device)

    def batches(self, epoch: int, first: int = 0) -> Iterator[Batch]:
        """The batches of an epoch from one on."""
        self.share.epoch, self.share.first = epoch, first
        items = list(self.share)
        # What is in the whole epoch goes to the device at once: asking it for every batch would make it wait.
        place = self.targets.device
        rows = torch.tensor([index for batch in items for index, _, _ in batch], dtype=torch.long, device=place)
        counts = torch.tensor([counted for batch in items for _, _, counted in batch], dtype=torch.bool, device=place)
        targets = torch.where(counts, self.targets[rows], NOT_COUNTED)
        sizes = [len(batch) for batch in items]
        for mine, wanted in zip(rows.split(sizes), targets.split(sizes), strict=True):
            yield self._brought(self.features[mine]), self._brought(wanted)

    def _brought(self, values: torch.Tensor) -> torch.Tensor:
        """Values on the device; from memory they are copied while it computes."""
        if values.device == self.device:
            return values
        return values.pin_memory().to(self.device, non_blocking=True)
