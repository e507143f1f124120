"""Linear Learner: a linear model for a number, for two classes or for several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.preprocessing import StandardScaler

from sagemaker_algorithm_toolkit.exceptions import UserError
from sagemaker_algorithms.algorithm import Algorithm, MetricValue, Model, Row
from sagemaker_algorithms.hyperparameters import AUTO, Values
from sagemaker_algorithms.linear_estimators import estimator
from sagemaker_algorithms.linear_hyperparameters import BINARY, HYPERPARAMETERS, MULTICLASS, REGRESSOR
from sagemaker_algorithms.linear_metrics import best_threshold, metrics
from sagemaker_algorithms.tables import Table


def train(values: Values, tables: Mapping[str, Table]) -> tuple[Model, Sequence[MetricValue]]:
    """Fit the library's estimator to normalized rows, and write its weights for rows as they are."""
    table, kind = tables["train"], values["predictor_type"]
    for name, one in tables.items():
        _check_labels(values, one.labels, name)
    scaler = StandardScaler(with_mean=_is_on(values, "unbias_data") and values["use_bias"])
    rows = scaler.fit_transform(table.features) if _is_on(values, "normalize_data") else table.features
    labels, shift, scale = _normalized(values, table.labels)
    fitted = estimator(values, len(rows)).fit(rows, labels)
    weights, bias = np.atleast_2d(fitted.coef_) * scale, np.atleast_1d(fitted.intercept_) * scale + shift
    if _is_on(values, "normalize_data"):
        weights = weights / scaler.scale_
        bias = bias - weights @ (scaler.mean_ if scaler.with_mean else np.zeros(weights.shape[1]))
    if kind == MULTICLASS:
        weights, bias = _all_classes(weights, bias, fitted.classes_, values["num_classes"])
    model = {"weights": weights, "bias": bias, "kind": kind, "loss": values["loss"], "threshold": 0.5}
    if kind == BINARY:
        judged = tables.get("validation", table)
        model["threshold"] = best_threshold(values, scores(model, judged.features), judged.labels)
    return model, [
        metric
        for channel, one in tables.items()
        for metric in metrics(values, channel, scores(model, one.features), one.labels, model["threshold"])
    ]


def _is_on(values: Values, name: str) -> bool:
    """Whether to normalize; auto is yes."""
    return values[name] == AUTO or bool(values[name])


def _normalized(values: Values, labels: Any) -> tuple[Any, float, float]:
    """The labels to fit, and what makes them the given ones again."""
    if values["predictor_type"] != REGRESSOR:
        return labels, 0.0, 1.0
    if not _is_on(values, "normalize_label"):
        return labels, 0.0, 1.0
    shift = float(labels.mean()) if values["use_bias"] and _is_on(values, "unbias_label") else 0.0
    scale = float(labels.std()) or 1.0
    return (labels - shift) / scale, shift, scale


def _check_labels(values: Values, labels: Any, channel: str) -> None:
    if values["predictor_type"] == REGRESSOR:
        return
    count = 2 if values["predictor_type"] == BINARY else values["num_classes"]
    if not isinstance(count, int) or count < 2:
        raise UserError("num_classes must be an integer of at least 2 for multiclass_classifier")
    if not np.isin(labels, np.arange(count)).all():
        raise UserError(f"The labels in the channel '{channel}' must be integers from 0 to {count - 1}")
    if channel == "train" and len(np.unique(labels)) < 2:
        raise UserError("The labels in the channel 'train' are all the same")


def _all_classes(weights: Any, bias: Any, found: Any, count: int) -> tuple[Any, Any]:
    """Weights of all classes; one that no row has gets no chance."""
    if len(weights) == 1:
        weights, bias = np.vstack([-weights, weights]) / 2, np.concatenate([-bias, bias]) / 2
    all_weights, all_bias = np.zeros((count, weights.shape[1])), np.full(count, -np.inf)
    all_weights[found.astype(int)], all_bias[found.astype(int)] = weights, bias
    return all_weights, all_bias


def scores(model: Model, features: Any) -> Any:
    """A number for each row; of several classes, the probability of each."""
    raw = features @ model["weights"].T + model["bias"]
    if str(model["kind"]) == MULTICLASS:
        powers = np.exp(raw - raw.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)
    if str(model["kind"]) == BINARY and str(model["loss"]) != "hinge_loss":
        return 1 / (1 + np.exp(-np.clip(raw[:, 0], -500, 500)))
    return raw[:, 0]


def predict(model: Model, features: Any, verbose: bool) -> Sequence[Row]:  # noqa: ARG001  # has one form
    """The score of each row, and of classes the predicted one."""
    found, kind = scores(model, features), str(model["kind"])
    if kind == REGRESSOR:
        return [{"score": float(score)} for score in found]
    if kind == BINARY:
        threshold = float(model["threshold"])
        return [{"score": float(score), "predicted_label": int(score >= threshold)} for score in found]
    return [{"score": row.tolist(), "predicted_label": int(row.argmax())} for row in found]


_CHANNELS = ("train", "validation", "test")
ALGORITHM = Algorithm("Linear Learner", HYPERPARAMETERS, train, predict, channels=_CHANNELS, labelled=_CHANNELS)
