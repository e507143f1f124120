"""What an answer has for each row when SAGEMAKER_INFERENCE_OUTPUT names it: labels, probabilities, scores."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Sequence
from typing import Any

from sagemaker_xgboost_container.constants.xgb_constants import (
    BINARY_HINGE,
    BINARY_LOG,
    BINARY_LOGRAW,
    MULTI_SOFTMAX,
    MULTI_SOFTPROB,
    REG_ABSOLUTEERR,
    REG_GAMMA,
    REG_LOG,
    REG_SQUAREDERR,
    REG_TWEEDIE,
)

_SCORE = ("predicted_score",)
_CLASS = ("predicted_label", "labels", "raw_score", "raw_scores")
_PROBABLE = (*_CLASS, "probability", "probabilities")
_KEYS = {
    **dict.fromkeys((REG_SQUAREDERR, REG_LOG, REG_GAMMA, REG_ABSOLUTEERR, REG_TWEEDIE), _SCORE),
    **dict.fromkeys((BINARY_LOGRAW, BINARY_HINGE, MULTI_SOFTMAX), _CLASS),
    **dict.fromkeys((BINARY_LOG, MULTI_SOFTPROB), _PROBABLE),
}
_HALF = 0.5


def selected(predictions: Iterable[Any], keys: Sequence[str], objective: str, num_class: int) -> list[dict[str, Any]]:
    """A document for each prediction; what its objective does not give is NaN."""
    if objective not in _KEYS:
        raise ValueError(f"Objective `{objective}` unsupported for selectable inference predictions.")
    if unknown := [key for key in keys if key not in _KEYS[objective]]:
        logging.warning(
            "Selected key(s) %s incompatible for objective '%s'. "
            "Please use list of compatible selectable inference predictions: %s",
            unknown,
            objective,
            list(_KEYS[objective]),
        )
    known = [key for key in keys if key not in unknown]
    return [
        {**{key: _value(key, prediction, objective, num_class) for key in known}, **dict.fromkeys(unknown, math.nan)}
        for prediction in predictions
    ]


def _value(key: str, prediction: Any, objective: str, num_class: int) -> Any:
    if key == "labels":
        return [0, 1] if objective.startswith("binary:") else list(range(num_class))
    if key == "predicted_label":
        return _label(prediction, objective)
    if key in ("probabilities", "raw_scores"):
        return prediction.tolist() if prediction.ndim else [1.0 - prediction.item(), prediction.item()]
    return prediction.max().item()


def _label(prediction: Any, objective: str) -> float:
    if objective == MULTI_SOFTPROB:
        return int(prediction.argmax())
    if objective in (BINARY_LOG, BINARY_LOGRAW):
        return int(prediction > (_HALF if objective == BINARY_LOG else 0))
    number: float = prediction.item()
    return number


def as_csv(documents: Iterable[dict[str, Any]], keys: Sequence[str]) -> str:
    """A line for each document; lists are quoted."""
    return "\n".join(
        ",".join(f'"{row[key]}"' if isinstance(row[key], list) else str(row[key]) for key in keys) for row in documents
    )
