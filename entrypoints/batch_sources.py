"""Sources of batches: pictures, decoded again in every epoch, or features, computed once.

Both give batches in the same form and order, so the training loop does not know which one it has.
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
from loader_workers import Batch, WatchedLoader
from picture_dataset import IGNORE_INDEX, DistributedBatchSampler, PictureDataset
from precision import Precision

# The features of training and validation both stay there; the head needs very little beside them.
_GPU_MEMORY_SHARE = 0.25
log = logging.getLogger(__name__)


class BatchSource(Protocol):
    """Batches of inputs and targets, on the device."""

    @property
    def count(self) -> int:
        """The number of samples in an epoch, over all processes."""

    @property
    def steps(self) -> int:
        """The number of batches in an epoch."""

    def size(self, step: int) -> int:
        """Returns the number of samples in a batch, over all processes."""

    def batches(self, epoch: int, first: int = 0) -> Iterator[Batch]:
        """Yields the batches of an epoch, from the one with index `first`."""


class _SampledSource:
    """The sizes that a source takes from its sampler."""

    sampler: DistributedBatchSampler

    @property
    def count(self) -> int:
        return self.sampler.count

    @property
    def steps(self) -> int:
        return self.sampler.steps

    def size(self, step: int) -> int:
        return self.sampler.size(step)


@dataclass(frozen=True)
class PictureBatches(_SampledSource):
    """Batches of normalized pictures."""

    pictures: PictureDataset
    sampler: DistributedBatchSampler
    workers: int
    timeout_seconds: float
    precision: Precision
    mean: Sequence[float]
    std: Sequence[float]

    def batches(self, epoch: int, first: int = 0) -> Iterator[Batch]:
        self.sampler.epoch, self.sampler.first = epoch, first
        device = self.precision.device
        for pixels, targets in self._loader.batches():
            normalized = tensors.normalized(pixels.to(device, non_blocking=True), self.mean, self.std)
            yield (
                normalized.contiguous(memory_format=self.precision.memory_format),
                targets.to(device, non_blocking=True),
            )

    @cached_property
    def _loader(self) -> WatchedLoader:
        """The loader with its worker processes, which all epochs share."""
        pinned = self.precision.device.type == "cuda"
        return data_loader.create(self.pictures, self.sampler, self.workers, pinned, self.timeout_seconds)


@dataclass(frozen=True)
class FeatureBatches(_SampledSource):
    """Batches of features that lie on the device, or in memory and are copied batch by batch."""

    features: torch.Tensor
    targets: torch.Tensor
    sampler: DistributedBatchSampler
    device: torch.device

    @classmethod
    def of(
        cls, array: np.ndarray[Any, Any], targets: Sequence[int], sampler: DistributedBatchSampler, device: torch.device
    ) -> FeatureBatches:
        """Wraps an array; moves it to the device if it fits there."""
        features, storage_device = torch.from_numpy(array), torch.device("cpu")
        if device.type == "cuda" and array.nbytes <= torch.cuda.mem_get_info(device)[0] * _GPU_MEMORY_SHARE:
            storage_device = device
            log.info("%d MB of features are kept on %s", array.nbytes // 10**6, device)
        return cls(features.to(storage_device), torch.tensor(targets, device=storage_device), sampler, device)

    def batches(self, epoch: int, first: int = 0) -> Iterator[Batch]:
        self.sampler.epoch, self.sampler.first = epoch, first
        items = list(self.sampler)
        # The indexes of the whole epoch go to the device at once: a transfer per batch would make it wait.
        storage_device = self.targets.device
        rows = torch.tensor(
            [index for batch in items for index, _, _ in batch], dtype=torch.long, device=storage_device
        )
        is_counted = torch.tensor(
            [counts for batch in items for _, _, counts in batch], dtype=torch.bool, device=storage_device
        )
        targets = torch.where(is_counted, self.targets[rows], IGNORE_INDEX)
        sizes = [len(batch) for batch in items]
        for own_rows, own_targets in zip(rows.split(sizes), targets.split(sizes), strict=True):
            yield self._to_device(self.features[own_rows]), self._to_device(own_targets)

    def _to_device(self, values: torch.Tensor) -> torch.Tensor:
        """Copies values to the device while it computes."""
        if values.device == self.device:
            return values
        return values.pin_memory().to(self.device, non_blocking=True)
