"""What a training needs before its first step: the images, the network on its device, and the number format."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch

import dataset_splits
import features
import networks
import precision as precisions
import verification
from dataset_splits import DatasetSplits
from hyperparameters import Hyperparameters
from options import TrainingOptions
from precision import Precision
from process_group import ProcessGroup
from stop_signal import StopSignal

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainingContext:
    """Everything that a training is given; nothing in it changes later, except the weights of the network."""

    options: TrainingOptions
    group: ProcessGroup
    splits: DatasetSplits
    precision: Precision
    network: networks.Classifier
    mean: Sequence[float]
    std: Sequence[float]

    @property
    def hyperparameters(self) -> Hyperparameters:
        return self.options.hyperparameters

    @property
    def trained_module(self) -> torch.nn.Module:
        """The part of the network whose weights are trained."""
        return self.network if self.hyperparameters.layers == "all" else self.network.head

    def identity(self) -> dict[str, Any]:
        """Returns what distinguishes this training from others, for the name of its checkpoints."""
        return {
            **asdict(self.hyperparameters),
            **self.splits.identity(),
            "weights": features.module_digest(self.network),
            "processes": self.group.rank_info.world_size,
            "computed in": self.precision.name,
        }


def create_context(options: TrainingOptions, group: ProcessGroup, stop: StopSignal) -> TrainingContext:
    """Finds the images, builds the network and moves it to its device."""
    splits = verification.drop_unreadable(dataset_splits.load(options), group, stop)
    precision = precisions.choose(options.hyperparameters.precision, group.device)
    log.info("%d + %d images of %d classes, in %s on %s", len(splits.train.paths), len(splits.validation.paths),
             len(splits.classes), precision.name, group.device)  # fmt: skip
    weights = options.weights_file or options.hyperparameters.weights
    network = _build_network(options, splits, group).to(group.device, memory_format=precision.memory_format)
    mean, std = networks.normalization(options.hyperparameters.architecture, weights)
    return TrainingContext(options, group, splits, precision, network, mean, std)


def _build_network(options: TrainingOptions, splits: DatasetSplits, group: ProcessGroup) -> networks.Classifier:
    hyperparameters = options.hyperparameters
    torch.manual_seed(hyperparameters.seed)
    if group.rank_info.local_rank:
        group.barrier()  # the first process of a machine downloads the weights
    network = networks.build(
        hyperparameters.architecture,
        len(splits.classes),
        head_width=hyperparameters.head_width,
        dropout=hyperparameters.dropout,
        weights=options.weights_file or hyperparameters.weights,
        image_size=splits.image_size,
    )
    if not group.rank_info.local_rank:
        group.barrier()
    return network
