"""K-Means: centers of clusters, and for each row the closest one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.cluster import KMeans
from sklearn.metrics import pairwise_distances_argmin_min

from sagemaker_algorithm_toolkit.exceptions import UserError
from sagemaker_algorithms.algorithm import Algorithm, MetricValue, Model, Row
from sagemaker_algorithms.hyperparameters import (
    AUTO,
    HyperparameterSpecification,
    Values,
    auto_or,
    boolean,
    integer,
    list_of,
    number,
    one_of,
)
from sagemaker_algorithms.tables import Table

_STARTS = one_of("random", "kmeans++")
_TRIALS = 10
_HYPERPARAMETERS = {
    "feature_dim": HyperparameterSpecification(integer()),
    "k": HyperparameterSpecification(integer()),
    "mini_batch_size": HyperparameterSpecification(integer(), 5000),
    "epochs": HyperparameterSpecification(integer(), 1),
    "init_method": HyperparameterSpecification(_STARTS, "random"),
    "extra_center_factor": HyperparameterSpecification(auto_or(integer()), AUTO),
    "half_life_time_size": HyperparameterSpecification(integer(0), 0),
    "local_lloyd_init_method": HyperparameterSpecification(_STARTS, "kmeans++"),
    "local_lloyd_max_iter": HyperparameterSpecification(integer(), 300),
    "local_lloyd_num_trials": HyperparameterSpecification(auto_or(integer()), AUTO),
    "local_lloyd_tol": HyperparameterSpecification(number(0, 1), 0.0001),
    "eval_metrics": HyperparameterSpecification(list_of("msd", "ssd"), ["msd"]),
    "force_dense": HyperparameterSpecification(boolean, True),
}


def train(values: Values, tables: Mapping[str, Table]) -> tuple[Model, Sequence[MetricValue]]:
    """Find the centers by Lloyd's method on all rows; the best of some trials counts."""
    rows, trials = tables["train"].features, values["local_lloyd_num_trials"]
    if len(rows) < values["k"]:
        raise UserError(f"The number of rows in the channel 'train', {len(rows)}, is less than k, {values['k']}")
    found = KMeans(
        n_clusters=values["k"],
        init="k-means++" if values["local_lloyd_init_method"] == "kmeans++" else "random",
        n_init=_TRIALS if trials == AUTO else trials,
        max_iter=values["local_lloyd_max_iter"],
        tol=values["local_lloyd_tol"],
        random_state=0,
    ).fit(rows)
    centers = found.cluster_centers_
    metrics = [
        MetricValue(
            channel, name, float(getattr(np, {"msd": "mean", "ssd": "sum"}[name])(_closest(centers, table)[1] ** 2))
        )
        for channel, table in tables.items()
        for name in values["eval_metrics"]
    ]
    return {"centers": centers}, metrics


def _closest(centers: Any, table: Table) -> tuple[Any, Any]:
    found: tuple[Any, Any] = pairwise_distances_argmin_min(table.features, centers)
    return found


def predict(model: Model, features: Any, verbose: bool) -> Sequence[Row]:  # noqa: ARG001  # has one form
    """The closest center of each row, and how far it is."""
    clusters, distances = _closest(model["centers"], Table(features))
    return [
        {"closest_cluster": float(cluster), "distance_to_cluster": float(distance)}
        for cluster, distance in zip(clusters, distances, strict=True)
    ]


ALGORITHM = Algorithm("K-Means", _HYPERPARAMETERS, train, predict)
