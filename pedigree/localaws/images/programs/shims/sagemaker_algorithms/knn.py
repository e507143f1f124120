"""k-NN: the labels of the nearest of sampled rows, as a class or as a mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.neighbors import NearestNeighbors
from sklearn.random_projection import SparseRandomProjection

from sagemaker_algorithm_toolkit.exceptions import UserError
from sagemaker_algorithms.algorithm import SCORE, Algorithm, MetricValue, Model, Row
from sagemaker_algorithms.hyperparameters import HyperparameterSpecification, Values, auto_or, integer, one_of
from sagemaker_algorithms.tables import Table

CLASSIFIER, REGRESSOR = "classifier", "regressor"
_HYPERPARAMETERS = {
    "feature_dim": HyperparameterSpecification(integer()),
    "k": HyperparameterSpecification(integer()),
    "predictor_type": HyperparameterSpecification(one_of(CLASSIFIER, REGRESSOR)),
    "sample_size": HyperparameterSpecification(integer()),
    "dimension_reduction_target": HyperparameterSpecification(integer(), None),
    "dimension_reduction_type": HyperparameterSpecification(one_of("sign", "fjlt"), None),
    "faiss_index_ivf_nlists": HyperparameterSpecification(auto_or(integer()), "auto"),
    "faiss_index_pq_m": HyperparameterSpecification(integer(), None),
    "index_metric": HyperparameterSpecification(one_of("L2", "INNER_PRODUCT", "COSINE"), "L2"),
    "index_type": HyperparameterSpecification(one_of("faiss.Flat", "faiss.IVFFlat", "faiss.IVFPQ"), "faiss.Flat"),
    "mini_batch_size": HyperparameterSpecification(integer(), 5000),
}


def train(values: Values, tables: Mapping[str, Table]) -> tuple[Model, Sequence[MetricValue]]:
    """Sample the rows; the search is exact, whatever index is asked for."""
    table, size = tables["train"], values["sample_size"]
    chosen: Any = np.arange(len(table))
    if size < len(table):
        chosen = np.sort(np.random.default_rng(0).choice(len(table), size, replace=False))
    if values["k"] > len(chosen):
        raise UserError(f"k, {values['k']}, is more than the {len(chosen)} rows that are sampled")
    projection = _projection(values, table.features)
    model = {
        "features": table.features[chosen] @ projection,
        "labels": table.labels[chosen],
        "projection": projection,
        "k": values["k"],
        "metric": values["index_metric"],
        "is_classifier": values["predictor_type"] == CLASSIFIER,
    }
    return model, [_metric(model, tables["test"])] if "test" in tables else []


def _projection(values: Values, features: Any) -> Any:
    """Columns to multiply rows with, so that they have fewer features."""
    width, target = features.shape[1], values["dimension_reduction_target"]
    if values["dimension_reduction_type"] is None:
        return np.eye(width)
    if target is None or target >= width:
        raise UserError(f"dimension_reduction_target must be an integer in (0, feature_dim), and it is {target}")
    if values["dimension_reduction_type"] == "fjlt":
        raise UserError("the local AWS reduces dimensions by sign alone; set dimension_reduction_type to sign")
    # With a density of 1, each element is one of two values that differ by their signs.
    return SparseRandomProjection(target, density=1, dense_output=True, random_state=0).fit(features).components_.T


def _metric(model: Model, table: Table) -> MetricValue:
    predicted = np.array([row["predicted_label"] for row in predict(model, table.features, verbose=False)])
    if model["is_classifier"]:
        return MetricValue("test", "accuracy", float(np.mean(predicted == table.labels)), SCORE)
    return MetricValue("test", "mse", float(np.mean((predicted - table.labels) ** 2)))


def predict(model: Model, features: Any, verbose: bool) -> Sequence[Row]:
    """The most frequent label of the nearest rows, or their mean; a verbose answer lists these rows, too."""
    distances, nearest = _nearest(model, features @ model["projection"])
    labels = model["labels"][nearest]
    found = [_mode(row) if model["is_classifier"] else float(np.mean(row)) for row in labels]
    if not verbose:
        return [{"predicted_label": label} for label in found]
    return [
        {"predicted_label": label, "distances": far.tolist(), "labels": near.tolist()}
        for label, far, near in zip(found, distances, labels, strict=True)
    ]


def _nearest(model: Model, rows: Any) -> tuple[Any, Any]:
    """Distances and numbers of the nearest rows, the nearest first."""
    known, count = model["features"], int(model["k"])
    if str(model["metric"]) == "INNER_PRODUCT":
        products = rows @ known.T
        nearest = np.argsort(-products, axis=1, kind="stable")[:, :count]
        return np.take_along_axis(products, nearest, axis=1), nearest
    metric = "cosine" if str(model["metric"]) == "COSINE" else "euclidean"
    found: tuple[Any, Any] = NearestNeighbors(n_neighbors=count, metric=metric).fit(known).kneighbors(rows)
    return found


def _mode(labels: Any) -> float:
    """The most frequent label; of several, the smallest."""
    found, counts = np.unique(labels, return_counts=True)
    return float(found[counts.argmax()])


ALGORITHM = Algorithm("k-NN", _HYPERPARAMETERS, train, predict, labelled=("train", "test"))
