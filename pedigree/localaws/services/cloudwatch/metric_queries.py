"""Answers queries for metrics: statistics by period, metric math over them, and the labels that AWS gives. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from pedigree.localaws.services.cloudwatch import metric_math
from pedigree.localaws.services.cloudwatch.statistics import Datapoint, statistic

Series: TypeAlias = Mapping[float, float]
"""Values by the moment at which their period starts."""
NO_UNIT = "None"
_MINUTE = 60


@dataclass(frozen=True)
class Datum:
    """What was reported of a metric at a moment."""

    namespace: str
    name: str
    dimensions: frozenset[tuple[str, str]]
    unit: str
    point: Datapoint


@dataclass(frozen=True)
class TimeSpan:
    """A span of time that is divided into periods of as many seconds."""

    start: float
    end: float
    period: int

    @property
    def first(self) -> float:
        """When the first period starts: at a full minute, or for a shorter period at a multiple of it."""
        step = min(self.period, _MINUTE)
        return math.floor(self.start / step) * step

    def period_of(self, moment: float) -> float | None:
        """Return when the period of a moment starts; None outside of the span."""
        if not self.first <= moment < self.end:
            return None
        return self.first + (moment - self.first) // self.period * self.period


def dimensions_of(listed: Iterable[Mapping[str, str]] | None) -> frozenset[tuple[str, str]]:
    """Return names and values of dimensions in a request."""
    return frozenset((dimension["Name"], dimension["Value"]) for dimension in listed or ())


def of_metric(data: Iterable[Datum], metric: Mapping[str, Any], unit: str | None = None) -> list[Datum]:
    """Return the data of a metric, which its namespace, its name and all its dimensions make up."""
    key = (metric["Namespace"], metric["MetricName"], dimensions_of(metric.get("Dimensions")))
    return [
        datum
        for datum in data
        if (datum.namespace, datum.name, datum.dimensions) == key and (unit is None or datum.unit == unit)
    ]


def by_period(data: Iterable[Datum], span: TimeSpan) -> dict[float, list[Datapoint]]:
    """Group data by the periods in which they lie, the earliest first."""
    periods: dict[float, list[Datapoint]] = {}
    for datum in data:
        start = span.period_of(datum.point.moment)
        if start is not None:
            periods.setdefault(start, []).append(datum.point)
    return dict(sorted(periods.items()))


def metric_series(data: Iterable[Datum], query: Mapping[str, Any], start: float, end: float) -> Series:
    """Return the statistic that a query asks for, of each period that has data."""
    asked = query["MetricStat"]
    chosen = of_metric(data, asked["Metric"], asked.get("Unit"))
    periods = by_period(chosen, TimeSpan(start, end, int(asked["Period"])))
    values = {moment: statistic(points, asked["Stat"]) for moment, points in periods.items()}
    return {moment: value for moment, value in values.items() if value is not None}


def expression_series(expression: str, series: Mapping[str, Series]) -> Series:
    """Return the value of an expression at each moment at which one of its metrics has a value."""
    moments = sorted({moment for values in series.values() for moment in values})
    results = {
        moment: metric_math.evaluate(expression, {key: values.get(moment) for key, values in series.items()})
        for moment in moments
    }
    return {moment: value for moment, value in results.items() if value is not None}


def all_series(
    data: Sequence[Datum], queries: Sequence[Mapping[str, Any]], start: float, end: float
) -> dict[str, Series]:
    """Return the values of all queries by their ids: metrics first, and then the expressions over them in order."""
    series = {
        query["Id"]: metric_series(data, query, start, end) for query in queries if query.get("MetricStat") is not None
    }
    for query in queries:
        if query.get("Expression"):
            series[query["Id"]] = expression_series(query["Expression"], series)
    return series


def labels(queries: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return the label of each query: the metric's name, with the statistic and the period where those differ."""
    asked = [query["MetricStat"] for query in queries if query.get("MetricStat") is not None]
    differing = [member for member in ("Stat", "Period") if len({str(stat[member]) for stat in asked}) > 1]
    found: dict[str, str] = {}
    for query in queries:
        stat = query.get("MetricStat")
        parts = [stat["Metric"]["MetricName"], *(stat[member] for member in differing)] if stat else [query["Id"]]
        found[query["Id"]] = query.get("Label") or " ".join(map(str, parts))
    return found
