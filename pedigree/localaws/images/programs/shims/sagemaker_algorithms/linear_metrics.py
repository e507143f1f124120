"""The metrics of Linear Learner, and the threshold between two classes that is best by one of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn.metrics import fbeta_score, log_loss, precision_score, recall_score

from sagemaker_algorithms.algorithm import LOSS, SCORE, MetricValue
from sagemaker_algorithms.hyperparameters import AUTO, Values
from sagemaker_algorithms.linear_hyperparameters import BINARY, MULTICLASS

_MOST_THRESHOLDS = 1000


def metrics(values: Values, channel: str, scores: Any, labels: Any, threshold: float) -> Iterator[MetricValue]:
    """The metrics of a channel, by the names of AWS's log."""
    of_kind = {BINARY: _of_two_classes, MULTICLASS: _of_classes}.get(values["predictor_type"], _of_numbers)
    for name, value, kind in of_kind(values, scores, labels, threshold):
        yield MetricValue(channel, name, float(value), kind)


def _of_numbers(values: Values, scores: Any, labels: Any, threshold: float) -> Iterator[tuple[str, float, str]]:  # noqa: ARG001
    if values["loss"] in (AUTO, "squared_loss"):
        yield "mse_objective", np.mean((scores - labels) ** 2), LOSS
    yield "mse", np.mean((scores - labels) ** 2), LOSS
    yield "absolute_loss", np.mean(np.abs(scores - labels)), LOSS


def _of_two_classes(values: Values, scores: Any, labels: Any, threshold: float) -> Iterator[tuple[str, float, str]]:
    predicted = scores >= threshold
    beta = values["f_beta"]
    if values["loss"] != "hinge_loss":
        yield "binary_classification_cross_entropy_objective", log_loss(labels, scores, labels=[0, 1]), LOSS
    yield "binary_classification_accuracy", np.mean(predicted == labels), SCORE
    yield f"binary_f_{beta}", fbeta_score(labels, predicted, beta=beta, zero_division=0), SCORE
    yield "precision", precision_score(labels, predicted, zero_division=0), SCORE
    yield "recall", recall_score(labels, predicted, zero_division=0), SCORE


def _of_classes(values: Values, scores: Any, labels: Any, threshold: float) -> Iterator[tuple[str, float, str]]:  # noqa: ARG001
    predicted, top, beta = scores.argmax(axis=1), values["accuracy_top_k"], values["f_beta"]
    best = np.argsort(-scores, axis=1, kind="stable")[:, :top]
    common = {"average": "macro", "zero_division": 0}
    yield "multiclass_cross_entropy_objective", log_loss(labels, scores, labels=range(scores.shape[1])), LOSS
    yield "multiclass_accuracy", np.mean(predicted == labels), SCORE
    yield f"multiclass_top_k_accuracy_{top}", np.mean((best == labels[:, None]).any(axis=1)), SCORE
    yield "macro_recall", recall_score(labels, predicted, **common), SCORE
    yield "macro_precision", precision_score(labels, predicted, **common), SCORE
    yield f"macro_f_{beta}", fbeta_score(labels, predicted, beta=beta, **common), SCORE


def best_threshold(values: Values, scores: Any, labels: Any) -> float:
    """The threshold that is best by the criterion; the middle one if several are."""
    usual = 0.0 if values["loss"] == "hinge_loss" else 0.5
    criterion = values["binary_classifier_model_selection_criteria"]
    if criterion == "loss_function":
        return usual
    found = np.unique(np.append(scores, usual))
    if len(found) > _MOST_THRESHOLDS:
        found = np.quantile(found, np.linspace(0, 1, _MOST_THRESHOLDS))
    merits = [_merit(values, criterion, scores >= threshold, labels) for threshold in found]
    best = np.flatnonzero(np.array(merits) == max(merits))
    return float(found[best[len(best) // 2]])


def _merit(values: Values, criterion: str, predicted: Any, labels: Any) -> float:
    """How good predictions are; one that misses a target counts by how near it is to that."""
    if criterion == "accuracy":
        return float(np.mean(predicted == labels))
    if criterion in ("f_beta", "f1"):
        beta = 1.0 if criterion == "f1" else values["f_beta"]
        return float(fbeta_score(labels, predicted, beta=beta, zero_division=0))
    precision = float(precision_score(labels, predicted, zero_division=0))
    recall = float(recall_score(labels, predicted, zero_division=0))
    if criterion == "precision_at_target_recall":
        return precision if recall >= values["target_recall"] else recall - values["target_recall"]
    return recall if precision >= values["target_precision"] else precision - values["target_precision"]
