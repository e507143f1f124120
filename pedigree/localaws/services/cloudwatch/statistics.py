"""Statistics over datapoints: sums, averages and percentiles, of single values and of statistic sets. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

_PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d{1,10})?|100)")


@dataclass(frozen=True)
class Datapoint:
    """A statistic set: the number, sum, minimum and maximum of values at a moment (in seconds)."""

    moment: float
    count: float
    total: float
    minimum: float
    maximum: float


def single(moment: float, value: float) -> Datapoint:
    """Return the datapoint of one value."""
    return Datapoint(moment, 1.0, value, value, value)


def statistic_sets(values: Sequence[float], max_sets: int) -> list[Mapping[str, float]]:
    """Group values into sets of similar size; sums stay exact, and percentiles nearly."""
    ordered = sorted(values)
    number = min(max_sets, len(ordered))
    bounds = [len(ordered) * index // number for index in range(number + 1)] if number else []
    groups = [ordered[start:end] for start, end in pairwise(bounds)]
    return [
        {"SampleCount": float(len(group)), "Sum": sum(group), "Minimum": group[0], "Maximum": group[-1]}
        for group in groups
    ]


def statistic(datapoints: Sequence[Datapoint], name: str) -> float | None:
    """Return a statistic by its name in CloudWatch, or None without datapoints or for an unknown name."""
    if not datapoints:
        return None
    if name in _STATISTICS:
        return _STATISTICS[name](datapoints)
    match = _PERCENTILE.fullmatch(name)
    return percentile(datapoints, float(match[1]) / 100) if match else None


def percentile(datapoints: Sequence[Datapoint], share: float) -> float:
    """Return the value below which a share of all values lies; the values of a set count as evenly spread."""
    ordered = sorted(datapoints, key=lambda point: (point.minimum, point.maximum))
    left = share * sum(point.count for point in ordered)
    for point in ordered:
        if left <= point.count:
            return point.minimum + (point.maximum - point.minimum) * left / point.count
        left -= point.count
    return ordered[-1].maximum


def _count(datapoints: Sequence[Datapoint]) -> float:
    return sum(point.count for point in datapoints)


def _sum(datapoints: Sequence[Datapoint]) -> float:
    return sum(point.total for point in datapoints)


_STATISTICS: Mapping[str, Callable[[Sequence[Datapoint]], float]] = {
    "SampleCount": _count,
    "Sum": _sum,
    "Average": lambda points: _sum(points) / _count(points) if _count(points) else 0.0,
    "Minimum": lambda points: min(point.minimum for point in points),
    "Maximum": lambda points: max(point.maximum for point in points),
}
