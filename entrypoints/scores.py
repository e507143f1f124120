"""Computes scores from logits and true classes: numbers in, numbers out.

A class without pictures has a recall of 0, and a class that is never predicted has a precision of 0. The macro F1 is
the mean over the classes that occur among the pictures or the predictions. Of equal logits, the first class counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

TOP = 5
BINS = 15
_RESAMPLES = 100
_BETAS = {"f0_5": 0.5, "f1": 1.0, "f2": 2.0}


@dataclass(frozen=True)
class Bin:
    """Predictions with similar confidence: their number, mean confidence and accuracy."""

    count: int
    confidence: float
    accuracy: float


@dataclass(frozen=True)
class ClassScores:
    """Precision, recall, F1 and number of pictures of each class."""

    precision: Floats
    recall: Floats
    f1: Floats
    support: Integers


@dataclass(frozen=True)
class Scores:
    """All measures of a candidate's predictions."""

    targets: Integers
    answers: Integers
    losses: Floats
    confidences: Floats
    loss: float
    accuracy: float
    top_5_accuracy: float
    macro_f1: float
    calibration_error: float
    bins: tuple[Bin, ...]
    by_class: ClassScores
    confusion: Integers


def score(logits: npt.ArrayLike, targets: npt.ArrayLike) -> Scores:
    """Scores logits, one row per picture, against the indexes of the true classes."""
    values, truth = np.asarray(logits, dtype=np.float64), np.asarray(targets, dtype=np.int64)
    if not truth.size:
        raise ValueError("there is nothing to score")
    log_probabilities = log_softmax(values)
    answers = values.argmax(axis=1).astype(np.int64)
    losses = -log_probabilities[np.arange(len(truth)), truth]
    confidences = np.exp(log_probabilities.max(axis=1))
    is_right = answers == truth
    bins = calibration(confidences, is_right)
    confusion_matrix = confusion(truth, answers, values.shape[1])
    return Scores(
        targets=truth,
        answers=answers,
        losses=losses,
        confidences=confidences,
        loss=float(losses.mean()),
        accuracy=float(is_right.mean()),
        top_5_accuracy=top_accuracy(values, truth, TOP),
        macro_f1=averages(confusion_matrix)["macro_f1"],
        calibration_error=sum(bucket.count * abs(bucket.accuracy - bucket.confidence) for bucket in bins) / len(truth),
        bins=bins,
        by_class=by_class(confusion_matrix),
        confusion=confusion_matrix,
    )


def log_softmax(logits: Floats) -> Floats:
    """Returns the logarithms of the probabilities."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    result: Floats = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return result


def top_accuracy(logits: Floats, targets: Integers, top: int) -> float:
    """Returns how often the true class is among the top predictions; always, if there are no more classes."""
    top_classes = np.argsort(-logits, axis=1, kind="stable")[:, :top]
    return float((top_classes == targets[:, None]).any(axis=1).mean())


def confusion(targets: Integers, answers: Integers, classes: int) -> Integers:
    """Counts how often each class (row) was predicted as each class (column)."""
    return np.bincount(targets * classes + answers, minlength=classes**2).reshape(classes, classes).astype(np.int64)


def by_class(confusion_matrix: Integers) -> ClassScores:
    """Returns precision, recall and F1 of every class."""
    is_right, support, answered = (
        np.diagonal(confusion_matrix).astype(np.float64),
        confusion_matrix.sum(axis=1),
        confusion_matrix.sum(axis=0),
    )
    return ClassScores(
        precision=_ratio(is_right, answered),
        recall=_ratio(is_right, support),
        f1=_ratio(2 * is_right, support + answered),
        support=support,
    )


def averages(confusion_matrix: Integers) -> dict[str, float]:
    """Summarizes a confusion matrix, with SageMaker's names for model quality."""
    classes = by_class(confusion_matrix)
    weights = classes.support / max(1, classes.support.sum())
    occurring = (classes.support + confusion_matrix.sum(axis=0)) > 0
    averages_by_name = {
        "accuracy": float(np.trace(confusion_matrix) / max(1, confusion_matrix.sum())),
        "weighted_precision": float(weights @ classes.precision),
        "weighted_recall": float(weights @ classes.recall),
        "macro_f1": float(classes.f1[occurring].mean()) if occurring.any() else 0.0,
    }
    return averages_by_name | {
        f"weighted_{name}": float(weights @ _f_score(classes, beta)) for name, beta in _BETAS.items()
    }


def deviations(targets: Integers, answers: Integers, classes: int, seed: int = 0) -> Mapping[str, float]:
    """Estimates by bootstrap how much each average varies between test sets of this size."""
    rng = np.random.default_rng(seed)
    resampled = []
    for _ in range(_RESAMPLES):
        sample = rng.integers(0, len(targets), len(targets))
        resampled.append(averages(confusion(targets[sample], answers[sample], classes)))
    return {name: float(np.std([draw[name] for draw in resampled], ddof=1)) for name in resampled[0]}


def best_constant(confusion_matrix: Integers) -> dict[str, float]:
    """Returns the averages of always predicting the most frequent class: the baseline."""
    baseline = np.zeros_like(confusion_matrix)
    baseline[:, confusion_matrix.sum(axis=1).argmax()] = confusion_matrix.sum(axis=1)
    return averages(baseline)


def calibration(confidences: Floats, is_right: npt.NDArray[np.bool_]) -> tuple[Bin, ...]:
    """Groups predictions into bins of equal width by confidence; a bin includes its upper edge."""
    numbers = np.clip(np.ceil(confidences * BINS).astype(np.int64) - 1, 0, BINS - 1)
    return tuple(_bin(confidences[numbers == number], is_right[numbers == number]) for number in range(BINS))


def _bin(confidences: Floats, is_right: npt.NDArray[np.bool_]) -> Bin:
    if not is_right.size:
        return Bin(0, 0.0, 0.0)
    return Bin(int(is_right.size), float(confidences.mean()), float(is_right.mean()))


def _f_score(classes: ClassScores, beta: float) -> Floats:
    square = beta**2
    return _ratio((1 + square) * classes.precision * classes.recall, square * classes.precision + classes.recall)


def _ratio(numerator: Floats, denominator: npt.NDArray[np.generic]) -> Floats:
    """Divides, and gives 0 where the denominator is 0."""
    total = denominator.astype(np.float64)
    return np.divide(numerator, total, out=np.zeros_like(total), where=total > 0)
