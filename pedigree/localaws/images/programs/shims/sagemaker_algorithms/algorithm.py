"""What an algorithm is, for the programs that train and serve it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from sagemaker_algorithms.hyperparameters import HyperparameterSpecification, Values
from sagemaker_algorithms.tables import Table

Model: TypeAlias = Mapping[str, Any]
"""Arrays by their names: what the file of a model has."""
Row: TypeAlias = Mapping[str, Any]
"""The answer for one row of a request: numbers and lists of them, in the order of their columns."""
LOSS, SCORE = "loss", "score"


@dataclass(frozen=True)
class MetricValue:
    """What the log says of a model on a channel."""

    channel: str
    name: str
    value: float
    kind: str = LOSS


@dataclass(frozen=True)
class Algorithm:
    """One of SageMaker's built-in algorithms.

    train takes the tables of channels, `train` among them; predict takes features, and whether to tell all it knows.
    labelled has the channels that must have labels, distributions the S3DataDistributionType that a channel must have.
    """

    title: str
    hyperparameters: Mapping[str, HyperparameterSpecification]
    train: Callable[[Values, Mapping[str, Table]], tuple[Model, Sequence[MetricValue]]]
    predict: Callable[[Model, Any, bool], Sequence[Row]]
    channels: Sequence[str] = ("train", "test")
    labelled: Sequence[str] = ()
    distributions: Mapping[str, str] = field(default_factory=dict)
    answers: str = "predictions"
