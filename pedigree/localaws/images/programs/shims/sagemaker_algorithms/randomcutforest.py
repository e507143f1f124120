"""Random Cut Forest: how unusual a row is among the rows of the training."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.metrics import accuracy_score, precision_recall_fscore_support

from sagemaker_algorithm_toolkit.exceptions import UserError
from sagemaker_algorithms import random_cut_trees
from sagemaker_algorithms.algorithm import SCORE, Algorithm, MetricValue, Model, Row
from sagemaker_algorithms.hyperparameters import HyperparameterSpecification, Values, boolean, integer, list_of
from sagemaker_algorithms.tables import Table

_METRICS = ("accuracy", "precision_recall_fscore")
_SIGMAS = 3
_HYPERPARAMETERS = {
    "feature_dim": HyperparameterSpecification(integer(1, 10000)),
    "num_trees": HyperparameterSpecification(integer(50, 1000), 100),
    "num_samples_per_tree": HyperparameterSpecification(integer(1, 2048), 256),
    "eval_metrics": HyperparameterSpecification(list_of(*_METRICS), list(_METRICS)),
    "mini_batch_size": HyperparameterSpecification(integer(), 1000),
    "epochs": HyperparameterSpecification(integer(), 1),
    "force_dense": HyperparameterSpecification(boolean, True),
}


def train(values: Values, tables: Mapping[str, Table]) -> tuple[Model, Sequence[MetricValue]]:
    """Give each tree rows of its own: as many as asked for, or an equal share of all if there are fewer.

    As in AWS's jobs, a tree gets rows that follow each other, where no row had to make room for another.
    """
    rows, trees = tables["train"].features, values["num_trees"]
    if len(rows) < trees:
        words = f"The number of rows in the channel 'train', {len(rows)}, is less than num_trees, {trees}"
        raise UserError(f"{words}: each tree needs a row")
    generator = np.random.default_rng(0)
    size = min(values["num_samples_per_tree"], len(rows) // trees)
    sampled = _reservoir(len(rows), trees * values["num_samples_per_tree"], generator)[: trees * size]
    forest = random_cut_trees.grown(rows[sampled.reshape(trees, size)], generator)
    return forest, list(_metrics(values, forest, tables["test"])) if "test" in tables else []


def _reservoir(rows: int, room: int, generator: Any) -> Any:
    """A random sample of rows, by their numbers; each that comes when there is no room left may replace another."""
    places = np.arange(min(rows, room))
    chosen = generator.integers(0, np.arange(len(places), rows) + 1)
    replaces = chosen < room
    places[chosen[replaces]] = np.arange(len(places), rows)[replaces]  # the last one stays
    return places


def _metrics(values: Values, forest: Model, table: Table) -> Iterator[MetricValue]:
    """What the scores say of the labels: rows count as anomalies above the mean and three standard deviations."""
    if set(np.unique(table.labels)) - {0, 1}:
        raise UserError("The channel 'test' has labels other than 0, which is normal, and 1, which is an anomaly")
    scores = random_cut_trees.scores(forest, table.features)
    found = scores > scores.mean() + _SIGMAS * scores.std()
    if "accuracy" in values["eval_metrics"]:
        yield MetricValue("test", "accuracy", float(accuracy_score(table.labels, found)), SCORE)
    if "precision_recall_fscore" in values["eval_metrics"]:
        measured = precision_recall_fscore_support(table.labels, found, labels=[0, 1], zero_division=0)[:3]
        for place, prefix in ((1, ""), (0, "negative_")):
            for name, pair in zip(("precision", "recall", "f1"), measured, strict=True):
                yield MetricValue("test", prefix + name, float(pair[place]), SCORE)


def predict(model: Model, features: Any, verbose: bool) -> Sequence[Row]:  # noqa: ARG001  # has one form
    """The anomaly score of each row."""
    if features.shape[1] != model["low"].shape[1]:
        raise ValueError(f"rows have {features.shape[1]} features, and the model has {model['low'].shape[1]}")
    return [{"score": score} for score in random_cut_trees.scores(model, features).tolist()]


ALGORITHM = Algorithm(
    "Random Cut Forest",
    _HYPERPARAMETERS,
    train,
    predict,
    labelled=("test",),
    distributions={"train": "ShardedByS3Key", "test": "FullyReplicated"},
    answers="scores",
)
