"""How good logits are, given what is true: numbers only, from numbers only.

A class without pictures has a recall of 0, one that is never answered a precision of 0; the macro F1 is the mean over
the classes that occur among the pictures or among the answers. Of equal logits the first class counts as the answer.
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
    """The answers of about the same confidence: how sure they are on the average, and how often right."""

    count: int
    confidence: float
    accuracy: float


@dataclass(frozen=True)
class ClassScores:
    """How well each class is found: one value a class."""

    precision: Floats
    recall: Floats
    f1: Floats
    support: Integers


@dataclass(frozen=True)
class Scores:
    """Everything that is measured about a candidate's answers."""

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
    """The scores of logits, a row a picture, against the indexes of the true classes."""
    values, truth = np.asarray(logits, dtype=np.float64), np.asarray(targets, dtype=np.int64)
    if not truth.size:
        raise ValueError("there is nothing to score")
    chances = log_softmax(values)
    answers = values.argmax(axis=1).astype(np.int64)
    losses = -chances[np.arange(len(truth)), truth]
    confidences = np.exp(chances.max(axis=1))
    right = answers == truth
    bins = calibration(confidences, right)
    table = confusion(truth, answers, values.shape[1])
    return Scores(
        targets=truth,
        answers=answers,
        losses=losses,
        confidences=confidences,
        loss=float(losses.mean()),
        accuracy=float(right.mean()),
        top_5_accuracy=top_accuracy(values, truth, TOP),
        macro_f1=averages(table)["macro_f1"],
        calibration_error=sum(one.count * abs(one.accuracy - one.confidence) for one in bins) / len(truth),
        bins=bins,
        by_class=by_class(table),
        confusion=table,
    )


def log_softmax(logits: Floats) -> Floats:
    """The logarithms of the probabilities that logits stand for."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    result: Floats = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return result


def top_accuracy(logits: Floats, targets: Integers, top: int) -> float:
    """How often the true class is among the best; with fewer classes than that, always."""
    best = np.argsort(-logits, axis=1, kind="stable")[:, :top]
    return float((best == targets[:, None]).any(axis=1).mean())


def confusion(targets: Integers, answers: Integers, classes: int) -> Integers:
    """How often each class (row) was answered as which (column)."""
    return np.bincount(targets * classes + answers, minlength=classes**2).reshape(classes, classes).astype(np.int64)


def by_class(table: Integers) -> ClassScores:
    """Precision, recall and F1 of every class."""
    right, support, answered = np.diagonal(table).astype(np.float64), table.sum(axis=1), table.sum(axis=0)
    return ClassScores(
        precision=_shares(right, answered),
        recall=_shares(right, support),
        f1=_shares(2 * right, support + answered),
        support=support,
    )


def averages(table: Integers) -> dict[str, float]:
    """The numbers that sum a confusion matrix up, by the names that SageMaker's model quality has for them."""
    classes = by_class(table)
    weights = classes.support / max(1, classes.support.sum())
    occurring = (classes.support + table.sum(axis=0)) > 0
    means = {
        "accuracy": float(np.trace(table) / max(1, table.sum())),
        "weighted_precision": float(weights @ classes.precision),
        "weighted_recall": float(weights @ classes.recall),
        "macro_f1": float(classes.f1[occurring].mean()) if occurring.any() else 0.0,
    }
    return means | {f"weighted_{name}": float(weights @ _f(classes, beta)) for name, beta in _BETAS.items()}


def deviations(targets: Integers, answers: Integers, classes: int, seed: int = 0) -> Mapping[str, float]:
    """By how much each average varies from one drawn test set to the next, as far as this one tells (bootstrap)."""
    chance = np.random.default_rng(seed)
    draws = []
    for _ in range(_RESAMPLES):
        drawn = chance.integers(0, len(targets), len(targets))
        draws.append(averages(confusion(targets[drawn], answers[drawn], classes)))
    return {name: float(np.std([draw[name] for draw in draws], ddof=1)) for name in draws[0]}


def best_constant(table: Integers) -> dict[str, float]:
    """The averages of answering with the most frequent class always: what a model must beat."""
    constant = np.zeros_like(table)
    constant[:, table.sum(axis=1).argmax()] = table.sum(axis=1)
    return averages(constant)


def calibration(confidences: Floats, right: npt.NDArray[np.bool_]) -> tuple[Bin, ...]:
    """The answers in bins of equal width by their confidence; each bin has its upper edge."""
    numbers = np.clip(np.ceil(confidences * BINS).astype(np.int64) - 1, 0, BINS - 1)
    return tuple(_bin(confidences[numbers == number], right[numbers == number]) for number in range(BINS))


def _bin(confidences: Floats, right: npt.NDArray[np.bool_]) -> Bin:
    if not right.size:
        return Bin(0, 0.0, 0.0)
    return Bin(int(right.size), float(confidences.mean()), float(right.mean()))


def _f(classes: ClassScores, beta: float) -> Floats:
    square = beta**2
    return _shares((1 + square) * classes.precision * classes.recall, square * classes.precision + classes.recall)


def _shares(part: Floats, whole: npt.NDArray[np.generic]) -> Floats:
    """Part of whole, and 0 where there is nothing."""
    total = whole.astype(np.float64)
    return np.divide(part, total, out=np.zeros_like(total), where=total > 0)
