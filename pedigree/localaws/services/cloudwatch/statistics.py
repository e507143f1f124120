"""What published numbers come to: sums, averages, percentiles, of single values and of sets of them alike."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

_PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d{1,10})?|100)")


@dataclass(frozen=True)
class Datapoint:
    """So many values at a moment (in seconds): their sum, and the smallest and the largest of them."""

    moment: float
    count: float
    total: float
    least: float
    most: float


def single(moment: float, value: float) -> Datapoint:
    """One value."""
    return Datapoint(moment, 1.0, value, value, value)


def sets(values: Sequence[float], most: int) -> list[Mapping[str, float]]:
    """Values as at most so many sets, small ones apart from large ones: sums are kept, percentiles nearly."""
    ordered = sorted(values)
    number = min(most, len(ordered))
    cuts = [len(ordered) * one // number for one in range(number + 1)] if number else []
    groups = [ordered[first:last] for first, last in pairwise(cuts)]
    return [{"SampleCount": float(len(one)), "Sum": sum(one), "Minimum": one[0], "Maximum": one[-1]} for one in groups]


def statistic(points: Sequence[Datapoint], name: str) -> float | None:
    """What points come to; None where there are none, or the statistic is not known."""
    if not points:
        return None
    if name in _USUAL:
        return _USUAL[name](points)
    found = _PERCENTILE.fullmatch(name)
    return percentile(points, float(found[1]) / 100) if found else None


def percentile(points: Sequence[Datapoint], share: float) -> float:
    """The value below which a share of all values lies; within a set, values are taken to lie evenly."""
    ordered = sorted(points, key=lambda one: (one.least, one.most))
    left = share * sum(one.count for one in ordered)
    for one in ordered:
        if left <= one.count:
            return one.least + (one.most - one.least) * left / one.count
        left -= one.count
    return ordered[-1].most


def _count(points: Sequence[Datapoint]) -> float:
    return sum(one.count for one in points)


def _sum(points: Sequence[Datapoint]) -> float:
    return sum(one.total for one in points)


_USUAL: Mapping[str, Callable[[Sequence[Datapoint]], float]] = {
    "SampleCount": _count,
    "Sum": _sum,
    "Average": lambda points: _sum(points) / _count(points) if _count(points) else 0.0,
    "Minimum": lambda points: min(one.least for one in points),
    "Maximum": lambda points: max(one.most for one in points),
}
