"""When an alarm goes off: statistics of what was published, metric math, and the periods that an alarm looks at."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pedigree.localaws.services.cloudwatch.alarm_state import ALARM, OK, UNKNOWN, Alarm, MetricStat, state
from pedigree.localaws.services.cloudwatch.metric_math import MetricMathError, value
from pedigree.localaws.services.cloudwatch.statistics import Datapoint, sets, single, statistic

SERIES = MetricStat("AWS/SageMaker", "Errors", frozenset(), "Sum")
MORE_THAN_TWO = Alarm({"errors": SERIES}, "errors", "GreaterThanThreshold", 2, 60)


def points(*told: tuple[float, float]) -> list[Datapoint]:
    return [single(moment, number) for moment, number in told]


def said(alarm: Alarm, found: Sequence[Datapoint], now: float = 100, before: str = OK) -> str:
    return state(alarm, dict.fromkeys(alarm.series, found), now, before).value


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=200))
def test_sets_keep_what_values_come_to(values: list[float]) -> None:
    made = [Datapoint(0, one["SampleCount"], one["Sum"], one["Minimum"], one["Maximum"]) for one in sets(values, 10)]
    assert len(made) <= 10
    assert statistic(made, "SampleCount") == len(values)
    assert statistic(made, "Sum") == pytest.approx(sum(values))
    assert (statistic(made, "Minimum"), statistic(made, "Maximum")) == (min(values), max(values))
    ninety = statistic(made, "p90")
    assert ninety is not None
    below = sum(one <= ninety for one in values)
    assert below >= math.floor(0.9 * len(values)) - len(values) / 10 - 1


def test_a_percentile_of_single_values_is_one_of_them() -> None:
    found = points(*((0, float(number)) for number in range(1, 11)))
    assert (statistic(found, "p90"), statistic(found, "p50"), statistic(found, "p100")) == (9, 5, 10)
    assert statistic(found, "Average") == 5.5
    assert statistic(found, "tm90") is None
    assert statistic([], "Sum") is None


RATE = "IF(invocations > 0, 100 * errors / invocations, 0)"


@pytest.mark.parametrize(
    ("text", "numbers", "comes_to"),
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
def test_metric_math(text: str, numbers: dict[str, float | None], comes_to: float | None) -> None:
    assert value(text, numbers) == comes_to


@pytest.mark.parametrize(
    "text", ["a.b", "__import__('os')", "a[0]", "unknown", "ANOMALY(a)", "a +", "'x'", "1 < a < 2"]
)
def test_what_is_no_metric_math_is_refused(text: str) -> None:
    with pytest.raises(MetricMathError):
        value(text, {"a": 1.0})


def test_an_alarm_goes_off_beyond_its_threshold_and_comes_back() -> None:
    assert said(MORE_THAN_TWO, points((50, 1), (90, 2))) == ALARM
    assert said(MORE_THAN_TWO, points((30, 1), (90, 2))) == OK
    assert said(MORE_THAN_TWO, points((50, 1), (90, 2)), now=130, before=ALARM) == OK


def test_so_many_of_the_last_periods_must_be_beyond_it() -> None:
    alarm = replace(MORE_THAN_TWO, periods=3, enough=2)
    assert said(alarm, points((10, 9), (90, 9)), now=120) == ALARM
    assert said(alarm, points((10, 9), (90, 1)), now=120) == OK


@pytest.mark.parametrize(
    ("missing", "becomes"), [("missing", UNKNOWN), ("notBreaching", OK), ("breaching", ALARM), ("ignore", "before")]
)
def test_what_is_missing_counts_as_the_alarm_says(missing: str, becomes: str) -> None:
    assert said(replace(MORE_THAN_TWO, missing=missing), [], before="before") == becomes


def test_an_alarm_compares_an_expression() -> None:
    series = {"errors": SERIES, "invocations": replace(SERIES, name="Invocations")}
    alarm = replace(MORE_THAN_TWO, series=series, compared="rate", threshold=10, expressions={"rate": RATE})
    found = {"errors": points((99, 1)), "invocations": points((99, 5))}
    assert state(alarm, found, 100, OK).value == ALARM
    assert state(alarm, {"errors": [], "invocations": []}, 100, ALARM).value == OK
