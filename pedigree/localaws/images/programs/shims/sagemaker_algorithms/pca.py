"""Principal Component Analysis: rows by their components, of which the last is the one with the largest variance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.decomposition import PCA, TruncatedSVD

from sagemaker_algorithm_toolkit.exceptions import UserError
from sagemaker_algorithms.algorithm import Algorithm, MetricValue, Model, Row
from sagemaker_algorithms.hyperparameters import HyperparameterSpecification, Values, boolean, integer, one_of
from sagemaker_algorithms.tables import Table

_FEWEST_EXTRA = 10
_HYPERPARAMETERS = {
    "feature_dim": HyperparameterSpecification(integer()),
    "mini_batch_size": HyperparameterSpecification(integer()),
    "num_components": HyperparameterSpecification(integer()),
    "algorithm_mode": HyperparameterSpecification(one_of("regular", "randomized"), "regular"),
    "extra_components": HyperparameterSpecification(integer(-1), -1),
    "subtract_mean": HyperparameterSpecification(boolean, True),
}


def train(values: Values, tables: Mapping[str, Table]) -> tuple[Model, Sequence[MetricValue]]:
    """Find the components. As in AWS's models, v has them in columns and s their singular values, both ascending."""
    rows, count = tables["train"].features, values["num_components"]
    if count > min(rows.shape):
        words = f"num_components, {count}, is more than the {rows.shape[0]} rows and {rows.shape[1]} features allow"
        raise UserError(words)
    found = _decomposition(values, rows.shape[1]).fit(rows)
    mean = found.mean_ if values["subtract_mean"] else np.zeros(rows.shape[1])
    return {"mean": mean, "s": found.singular_values_[::-1], "v": found.components_[::-1].T}, ()


def _decomposition(values: Values, width: int) -> Any:
    count, is_randomized = values["num_components"], values["algorithm_mode"] == "randomized"
    extra = values["extra_components"] if values["extra_components"] >= 0 else max(_FEWEST_EXTRA, count)
    if values["subtract_mean"]:
        solver = "randomized" if is_randomized else "full"
        return PCA(count, svd_solver=solver, n_oversamples=max(extra, 1), random_state=0)
    if is_randomized or count == width:
        return TruncatedSVD(count, algorithm="randomized", n_oversamples=max(extra, 1), random_state=0)
    return TruncatedSVD(count, algorithm="arpack", random_state=0)


def predict(model: Model, features: Any, verbose: bool) -> Sequence[Row]:  # noqa: ARG001  # has one form
    """The components of each row."""
    return [{"projection": row.tolist()} for row in (features - model["mean"]) @ model["v"]]


ALGORITHM = Algorithm("PCA", _HYPERPARAMETERS, train, predict, answers="projections")
