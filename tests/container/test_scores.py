"""Scores: compared with results by hand, and with what holds for any numbers."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import scores

# Three classes, five pictures; answers 0, 1, 1, 2, 0 to truths 0, 1, 2, 2, 0: one of class 2 is taken for class 1.
CHANCES = np.array([[0.8, 0.1, 0.1], [0.2, 0.5, 0.3], [0.1, 0.6, 0.3], [0.1, 0.1, 0.8], [0.9, 0.05, 0.05]])
TRUTH = np.array([0, 1, 2, 2, 0])


@st.composite
def answered(draw: st.DrawFn) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    count, classes = draw(st.integers(1, 30)), draw(st.integers(2, 9))
    logits = draw(arrays(np.float64, (count, classes), elements=st.floats(-50, 50)))
    return logits, draw(arrays(np.int64, count, elements=st.integers(0, classes - 1)))


def test_by_hand() -> None:
    own = scores.score(np.log(CHANCES), TRUTH)
    assert own.loss == pytest.approx(-sum(map(math.log, (0.8, 0.5, 0.3, 0.8, 0.9))) / 5)
    assert own.accuracy == pytest.approx(4 / 5)
    assert own.confusion.tolist() == [[2, 0, 0], [0, 1, 0], [0, 1, 1]]
    assert own.by_class.precision == pytest.approx([1, 1 / 2, 1])
    assert own.by_class.recall == pytest.approx([1, 1, 1 / 2])
    assert own.by_class.f1 == pytest.approx([1, 2 / 3, 2 / 3])
    assert own.macro_f1 == pytest.approx((1 + 2 / 3 + 2 / 3) / 3)


def test_the_calibration_error_by_hand() -> None:
    # Bins of a fifteenth: 0.5 and 0.6 and 0.9 are alone, the two 0.8 share one.
    own = scores.score(np.log(CHANCES), TRUTH)
    expected = (abs(1 - 0.5) + abs(0 - 0.6) + 2 * abs(1 - 0.8) + abs(1 - 0.9)) / 5
    assert own.calibration_error == pytest.approx(expected)
    assert [bucket.count for bucket in own.bins if bucket.count] == [1, 1, 2, 1]
    assert len(own.bins) == 15


def test_the_averages_of_model_quality_by_hand() -> None:
    averages = scores.averages(scores.score(np.log(CHANCES), TRUTH).confusion)
    assert averages["weighted_precision"] == pytest.approx((2 * 1 + 1 * 0.5 + 2 * 1) / 5)
    assert averages["weighted_recall"] == pytest.approx(4 / 5)
    assert averages["weighted_f1"] == pytest.approx((2 * 1 + 1 * 2 / 3 + 2 * 2 / 3) / 5)
    # F2 of precision 1/2 and recall 1 is 5 × 0.5 / (4 × 0.5 + 1); of precision 1 and recall 1/2 it is 2.5 / 4.5.
    assert averages["weighted_f2"] == pytest.approx((2 * 1 + 2.5 / 3 + 2 * 2.5 / 4.5) / 5)


def test_the_best_constant_answer_is_the_most_frequent_class() -> None:
    table = np.array([[5, 1], [1, 3]])
    assert scores.best_constant(table)["accuracy"] == pytest.approx(6 / 10)


def test_top_5_looks_at_five_answers() -> None:
    logits = np.array([[9.0, 8, 7, 6, 5, 4]] * 2)
    assert scores.score(logits, [4, 5]).top_5_accuracy == 0.5


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_of_five_classes_or_fewer_the_true_one_is_always_among_the_best_five(classes: int) -> None:
    assert scores.score(np.eye(classes), np.roll(np.arange(classes), 1)).top_5_accuracy == 1


def test_a_class_that_neither_occurs_nor_is_answered_does_not_lower_the_macro_f1() -> None:
    assert scores.score([[9, 0, 0], [0, 9, 0]], [0, 1]).macro_f1 == 1


def test_a_class_that_is_answered_but_does_not_occur_does() -> None:
    assert scores.score([[9, 0, 0], [0, 0, 9]], [0, 0]).macro_f1 == pytest.approx((2 / 3 + 0) / 2)


def test_large_logits_overflow_nothing() -> None:
    own = scores.score([[1e5, 0.0], [0.0, 1e5]], [0, 0])
    assert own.loss == pytest.approx(5e4)


def test_nothing_cannot_be_scored() -> None:
    with pytest.raises(ValueError, match="nothing"):
        scores.score(np.zeros((0, 3)), [])


def test_the_deviation_of_the_accuracy_is_that_of_drawing_again() -> None:
    truth = np.zeros(400, dtype=np.int64)
    answers = np.repeat([0, 1], [300, 100])
    deviation = scores.deviations(truth, answers, 2)["accuracy"]
    assert deviation == pytest.approx(math.sqrt(0.75 * 0.25 / 400), rel=0.25)


@given(answered())
def test_scores_of_any_answers_are_consistent(case: tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]) -> None:
    logits, truth = case
    own = scores.score(logits, truth)
    assert own.confusion.sum() == len(truth)
    assert own.accuracy == pytest.approx(np.trace(own.confusion) / len(truth))
    assert own.accuracy <= own.top_5_accuracy <= 1
    assert own.loss >= 0
    assert 0 <= own.calibration_error <= 1
    assert 0 <= own.macro_f1 <= 1
    assert sum(bucket.count for bucket in own.bins) == len(truth)
    assert scores.averages(own.confusion)["weighted_recall"] == pytest.approx(own.accuracy)


@given(answered(), st.integers(0, 99))
def test_the_order_of_pictures_does_not_matter(
    case: tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]], seed: int
) -> None:
    logits, truth = case
    order = np.random.default_rng(seed).permutation(len(truth))
    bucket, other = scores.score(logits, truth), scores.score(logits[order], truth[order])
    assert bucket.loss == pytest.approx(other.loss)
    assert (bucket.confusion == other.confusion).all()
    assert bucket.calibration_error == pytest.approx(other.calibration_error)


@given(answered())
def test_a_perfect_answer_has_perfect_scores(case: tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]) -> None:
    logits, truth = case
    own = scores.score(np.eye(logits.shape[1])[truth] * 100, truth)
    assert (own.accuracy, own.macro_f1, own.top_5_accuracy) == (1, 1, 1)
    assert own.loss == pytest.approx(0, abs=1e-9)
    assert own.calibration_error == pytest.approx(0, abs=1e-9)
