"""Decides the state of an alarm from the values of its last periods. Pure.

A period ends now and not at a full minute, so that an alarm goes off as soon as it has a reason.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from pedigree.localaws.services.cloudwatch import metric_math
from pedigree.localaws.services.cloudwatch.metric_math import Number
from pedigree.localaws.services.cloudwatch.statistics import Datapoint, statistic

OK, ALARM, INSUFFICIENT_DATA = "OK", "ALARM", "INSUFFICIENT_DATA"
_COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "GreaterThanThreshold": operator.gt,
    "GreaterThanOrEqualToThreshold": operator.ge,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}


@dataclass(frozen=True)
class MetricStat:
    """A statistic of a metric."""

    namespace: str
    name: str
    dimensions: frozenset[tuple[str, str]]
    statistic: str


@dataclass(frozen=True)
class Alarm:
    """An alarm on one of its metrics or on an expression over them, named by returned."""

    metrics: Mapping[str, MetricStat]
    returned: str
    comparison: str
    threshold: float
    period: float
    periods: int = 1
    datapoints_to_alarm: int = 1
    missing_data: str = "missing"
    expressions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class AlarmState:
    """A state and its reason."""

    value: str
    reason: str


def decide_state(alarm: Alarm, datapoints: Mapping[str, Sequence[Datapoint]], now: float, before: str) -> AlarmState:
    """Return the state of an alarm from the datapoints of each of its metrics."""
    values = [_value(alarm, datapoints, now - alarm.period * number) for number in range(alarm.periods)]
    present = [value for value in values if value is not None]
    if not present and alarm.missing_data == "ignore":
        return AlarmState(before, "No new data")
    if not present and alarm.missing_data == "missing":
        return AlarmState(INSUFFICIENT_DATA, "Insufficient Data: no datapoints were received")
    is_breaching = _COMPARISONS[alarm.comparison]
    breaching = sum(is_breaching(value, alarm.threshold) for value in present)
    if alarm.missing_data == "breaching":
        breaching += len(values) - len(present)
    listed = ", ".join(f"{value:g}" for value in present) or "none"
    where = f"of the last {alarm.periods} datapoints [{listed}]" if alarm.periods > 1 else f"datapoint [{listed}]"
    condition = f"{alarm.comparison} of {alarm.threshold:g}"
    if breaching >= alarm.datapoints_to_alarm:
        return AlarmState(ALARM, f"Threshold Crossed: {breaching} {where} met {condition}")
    needed = f"which needs {alarm.datapoints_to_alarm}"
    return AlarmState(OK, f"Threshold Crossed: {breaching} {where} met {condition}, {needed}")


def _value(alarm: Alarm, datapoints: Mapping[str, Sequence[Datapoint]], end: float) -> Number:
    """Return the value that an alarm compares, for the period that ends at a moment."""
    values: dict[str, Number] = {
        key: statistic([point for point in datapoints[key] if end - alarm.period < point.moment <= end], stat.statistic)
        for key, stat in alarm.metrics.items()
    }
    for key, expression in alarm.expressions.items():
        values[key] = metric_math.evaluate(expression, values)
    return values[alarm.returned]
