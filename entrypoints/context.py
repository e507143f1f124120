"""What a training stands on before its first step: the images, the network on its device, and how it computes."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch

import features
import dataset_splits
import networks
import precision as formats
import verification
from hyperparameters import Hyperparameters
from dataset_splits import Material
from options import Options
from precision import Precision
from process_group import Ranks
from stop_signal import Stop

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Groundwork:
    """All that is given; what comes of it, the others say."""

    options: Options
    ranks: Ranks
    dataset_splits: Material
    precision: Precision
    network: networks.Classifier
    mean: Sequence[float]
    std: Sequence[float]

    @property
    def chosen(self) -> Hyperparameters:
        """What is learned with."""
        return self.options.hyperparameters

    @property
    def learner(self) -> torch.nn.Module:
        """The part of the network that learns."""
        return self.network if self.chosen.layers == "all" else self.network.head

    def identity(self) -> dict[str, Any]:
        """What distinguishes this training from all others."""
        return {
            **asdict(self.chosen),
            **self.material.identity(),
            "weights": features.digest_of(self.network),
            "processes": self.ranks.place.world,
            "computed in": self.precision.name,
        }


def lay(options: Options, ranks: Ranks, stop: Stop) -> Groundwork:
    """Find the images, build the network, and bring it to its device."""
    found = verification.only(dataset_splits.find(options), ranks, stop)
    precision = formats.choose(options.hyperparameters.precision, ranks.device)
    log.info("%d + %d images of %d classes, in %s on %s", len(found.train.paths), len(found.validation.paths),
             len(found.classes), precision.name, ranks.device)  # fmt: skip
    weights = options.weights_file or options.hyperparameters.weights
    network = _built(options, found, ranks).to(ranks.device, memory_format=precision.memory_format)
    mean, std = networks.normalisation(options.hyperparameters.architecture, weights)
    return Groundwork(options, ranks, found, precision, network, mean, std)


def _built(options: Options, found: Material, ranks: Ranks) -> networks.Classifier:
    chosen = options.hyperparameters
    torch.manual_seed(chosen.seed)
    if ranks.place.local_rank:
        ranks.wait()  # the first process of a machine fetches the weights
    network = networks.build(
        chosen.architecture,
        len(found.classes),
        head_width=chosen.head_width,
        dropout=chosen.dropout,
        weights=options.weights_file or chosen.weights,
        image_size=found.image_size,
    )
    if not ranks.place.local_rank:
        ranks.wait()
    return network
