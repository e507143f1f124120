"""The state of an alarm: what its numbers are in the last periods, and how many of them are beyond its threshold.

A period ends now and not at a full minute, so that an alarm goes off as soon as it has a reason to.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from pedigree.localaws.services.cloudwatch import metric_math
from pedigree.localaws.services.cloudwatch.metric_math import Number
from pedigree.localaws.services.cloudwatch.statistics import Datapoint, statistic

OK, ALARM, UNKNOWN = "OK", "ALARM", "INSUFFICIENT_DATA"
_BREACHES: Mapping[str, Callable[[float, float], bool]] = {
    "GreaterThanThreshold": operator.gt,
    "GreaterThanOrEqualToThreshold": operator.ge,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}


@dataclass(frozen=True)
class MetricStat:
    """A metric's statistic: namespace, name and dimensions say which metric."""

    namespace: str
    name: str
    dimensions: frozenset[tuple[str, str]]
    statistic: str


@dataclass(frozen=True)
class Alarm:
    """What an alarm looks at: series by their ids, one of which it compares, or an expression over them."""

    series: Mapping[str, MetricStat]
    compared: str
    comparison: str
    threshold: float
    period: float
    periods: int = 1
    enough: int = 1
    missing: str = "missing"
    expressions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class AlarmState:
    """What an alarm says, and why."""

    value: str
    reason: str


def state(alarm: Alarm, points: Mapping[str, Sequence[Datapoint]], now: float, before: str) -> AlarmState:
    """The state of an alarm, by the points of each of its series."""
    numbers = [_number(alarm, points, now - alarm.period * number) for number in range(alarm.periods)]
    found = [one for one in numbers if one is not None]
    if not found and alarm.missing == "ignore":
        return AlarmState(before, "No new data")
    if not found and alarm.missing == "missing":
        return AlarmState(UNKNOWN, "Insufficient Data: no datapoints were received")
    breaches = _BREACHES[alarm.comparison]
    beyond = sum(breaches(one, alarm.threshold) for one in found)
    if alarm.missing == "breaching":
        beyond += len(numbers) - len(found)
    told = ", ".join(f"{one:g}" for one in found) or "none"
    where = f"of the last {alarm.periods} datapoints [{told}]" if alarm.periods > 1 else f"datapoint [{told}]"
    against = f"{alarm.comparison} of {alarm.threshold:g}"
    if beyond >= alarm.enough:
        return AlarmState(ALARM, f"Threshold Crossed: {beyond} {where} met {against}")
    return AlarmState(OK, f"Threshold Crossed: {beyond} {where} met {against}, which needs {alarm.enough}")


def _number(alarm: Alarm, points: Mapping[str, Sequence[Datapoint]], end: float) -> Number:
    """What an alarm compares, in the period that ends at a moment."""
    numbers: dict[str, Number] = {
        key: statistic([one for one in points[key] if end - alarm.period < one.moment <= end], series.statistic)
        for key, series in alarm.series.items()
    }
    for key, text in alarm.expressions.items():
        numbers[key] = metric_math.value(text, numbers)
    return numbers[alarm.compared]
