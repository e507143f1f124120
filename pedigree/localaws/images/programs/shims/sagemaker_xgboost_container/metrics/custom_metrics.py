"""Metrics of the container that the library lacks, by scikit-learn.

AWS's container also computes rmse and mae this way, without the weights of rows; here the library does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import xgboost

Metric = Callable[[Any, Any], float]


def _classification() -> dict[str, Metric]:
    from sklearn import metrics

    return {
        "accuracy": metrics.accuracy_score,
        "balanced_accuracy": metrics.balanced_accuracy_score,
        "f1": partial(metrics.f1_score, average="macro"),
        "f1_binary": partial(metrics.f1_score, average="binary"),
        "f1_macro": partial(metrics.f1_score, average="macro"),
        "precision": metrics.precision_score,
        "precision_macro": partial(metrics.precision_score, average="macro"),
        "precision_micro": partial(metrics.precision_score, average="micro"),
        "recall": metrics.recall_score,
        "recall_macro": partial(metrics.recall_score, average="macro"),
        "recall_micro": partial(metrics.recall_score, average="micro"),
    }


def _regression() -> dict[str, Metric]:
    from sklearn import metrics

    return {"mse": metrics.mean_squared_error, "r2": metrics.r2_score}


_OF_CLASSES = (
    "accuracy",
    "balanced_accuracy",
    "f1",
    "f1_binary",
    "f1_macro",
    "precision",
    "precision_macro",
    "precision_micro",
    "recall",
    "recall_macro",
    "recall_micro",
)
_OF_NUMBERS = ("mse", "r2")


def get_custom_metrics(eval_metrics: Sequence[str]) -> list[str]:
    """Those of the metrics that the library lacks, in their order, which must be the same on all hosts."""
    return [name for name in eval_metrics if name in (*_OF_CLASSES, *_OF_NUMBERS)]


def configure_feval(names: Sequence[str], objective: str) -> Callable[[Any, xgboost.DMatrix], list[tuple[str, float]]]:
    """A function for xgboost.train that computes metrics from predictions of an objective."""
    by_class, by_number = _classification(), _regression()

    def metrics(predictions: Any, data: xgboost.DMatrix) -> list[tuple[str, float]]:
        labels = data.get_label()
        classes = predicted_classes(predictions, objective)
        return [
            (name, float(by_class[name](labels, classes) if name in by_class else by_number[name](labels, predictions)))
            for name in names
        ]

    return metrics


def predicted_classes(predictions: Any, objective: str) -> Any:
    """The class that each prediction stands for: probabilities, scores, or classes already."""
    if predictions.ndim > 1:
        return np.argmax(predictions, axis=-1)
    if objective == "binary:logitraw":
        return (predictions > 0).astype(int)
    return np.rint(predictions).astype(int)
