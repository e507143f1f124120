"""Alarms: statistics of datapoints, metric math, and the state after the last periods."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pedigree.localaws.services.cloudwatch.alarm_state import (
    ALARM,
    INSUFFICIENT_DATA,
    OK,
    Alarm,
    MetricStat,
    decide_state,
)
from pedigree.localaws.services.cloudwatch.metric_math import MetricMathError, evaluate
from pedigree.localaws.services.cloudwatch.statistics import Datapoint, single, statistic, statistic_sets

ERRORS = MetricStat("AWS/SageMaker", "Errors", frozenset(), "Sum")
MORE_THAN_TWO = Alarm({"errors": ERRORS}, "errors", "GreaterThanThreshold", 2, 60)


def points(*values: tuple[float, float]) -> list[Datapoint]:
    return [single(moment, value) for moment, value in values]


def state(alarm: Alarm, datapoints: Sequence[Datapoint], now: float = 100, before: str = OK) -> str:
    return decide_state(alarm, dict.fromkeys(alarm.metrics, datapoints), now, before).value


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=200))
def test_statistic_sets_have_the_statistics_of_their_values(values: list[float]) -> None:
    datapoints = [
        Datapoint(0, group["SampleCount"], group["Sum"], group["Minimum"], group["Maximum"])
        for group in statistic_sets(values, 10)
    ]
    assert len(datapoints) <= 10
    assert statistic(datapoints, "SampleCount") == len(values)
    assert statistic(datapoints, "Sum") == pytest.approx(sum(values))
    assert (statistic(datapoints, "Minimum"), statistic(datapoints, "Maximum")) == (min(values), max(values))
    ninety = statistic(datapoints, "p90")
    assert ninety is not None
    below = sum(value <= ninety for value in values)
    assert below >= math.floor(0.9 * len(values)) - len(values) / 10 - 1


def test_a_percentile_of_single_values_is_one_of_them() -> None:
    ten = points(*((0, float(number)) for number in range(1, 11)))
    assert (statistic(ten, "p90"), statistic(ten, "p50"), statistic(ten, "p100")) == (9, 5, 10)
    assert statistic(ten, "Average") == 5.5
    assert statistic(ten, "tm90") is None
    assert statistic([], "Sum") is None


RATE = "IF(invocations > 0, 100 * errors / invocations, 0)"


@pytest.mark.parametrize(
    ("expression", "values", "expected"),
    [
        (RATE, {"invocations": 8.0, "errors": 2.0}, 25),
        (RATE, {"invocations": 0.0, "errors": 0.0}, 0),
        (RATE, {"invocations": None, "errors": 1.0}, 0),
        ("a + b", {"a": 1.0, "b": None}, None),
        ("FILL(b, 0) + a", {"a": 1.0, "b": None}, 1),
        ("MAX([a, b]) - MIN([a, b]) ^ 2", {"a": 3.0, "b": 2.0}, -1),
        ("a > 1 AND b < 1 || a == 3", {"a": 3.0, "b": 2.0}, 1),
        ("1 / a", {"a": 0.0}, None),
        ("AVG([a, b]) * -1", {"a": 3.0, "b": 2.0}, -2.5),
    ],
)
def test_metric_math_is_evaluated(expression: str, values: dict[str, float | None], expected: float | None) -> None:
    assert evaluate(expression, values) == expected


@pytest.mark.parametrize(
    "expression", ["a.b", "__import__('os')", "a[0]", "unknown", "ANOMALY(a)", "a +", "'x'", "1 < a < 2"]
)
def test_an_expression_that_is_not_metric_math_is_refused(expression: str) -> None:
    with pytest.raises(MetricMathError):
        evaluate(expression, {"a": 1.0})


def test_an_alarm_goes_off_beyond_its_threshold_and_recovers() -> None:
    assert state(MORE_THAN_TWO, points((50, 1), (90, 2))) == ALARM
    assert state(MORE_THAN_TWO, points((30, 1), (90, 2))) == OK
    assert state(MORE_THAN_TWO, points((50, 1), (90, 2)), now=130, before=ALARM) == OK


def test_enough_of_the_last_periods_must_breach_the_threshold() -> None:
    alarm = replace(MORE_THAN_TWO, periods=3, datapoints_to_alarm=2)
    assert state(alarm, points((10, 9), (90, 9)), now=120) == ALARM
    assert state(alarm, points((10, 9), (90, 1)), now=120) == OK


@pytest.mark.parametrize(
    ("missing", "expected"),
    [("missing", INSUFFICIENT_DATA), ("notBreaching", OK), ("breaching", ALARM), ("ignore", "before")],
)
def test_missing_data_is_treated_as_the_alarm_says(missing: str, expected: str) -> None:
    assert state(replace(MORE_THAN_TWO, missing_data=missing), [], before="before") == expected


def test_an_alarm_compares_an_expression() -> None:
    metrics = {"errors": ERRORS, "invocations": replace(ERRORS, name="Invocations")}
    alarm = replace(MORE_THAN_TWO, metrics=metrics, returned="rate", threshold=10, expressions={"rate": RATE})
    datapoints = {"errors": points((99, 1)), "invocations": points((99, 5))}
    assert decide_state(alarm, datapoints, 100, OK).value == ALARM
    assert decide_state(alarm, {"errors": [], "invocations": []}, 100, ALARM).value == OK
