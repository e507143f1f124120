"""Reads metrics from a log, with a job's regular expressions.

All values are kept in order, and not only the last one: a search compares jobs by their values so far.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pedigree.localaws.services.sagemaker.jobs.plans import Metric

_MOST_VALUES = 20_000


@dataclass
class MetricValues:
    """The values of each metric. As in the service, only finite numbers count."""

    metrics: Sequence[Metric]
    last: dict[str, tuple[float, dt.datetime]] = field(default_factory=dict)
    series: dict[str, list[float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._patterns = [(metric.name, re.compile(metric.regex)) for metric in self.metrics]

    def read(self, line: str, moment: dt.datetime) -> list[tuple[str, float]]:
        """Record and return the values in a line."""
        matched = []
        for name, pattern in self._patterns:
            match = pattern.search(line)
            value = _number(match[1]) if match and pattern.groups else None
            if value is not None:
                matched.append((name, value))
                self.last[name] = (value, moment)
                values = self.series.setdefault(name, [])
                if len(values) < _MOST_VALUES:
                    values.append(value)
        return matched

    def final(self) -> list[dict[str, Any]]:
        """The last values, in the form of FinalMetricDataList."""
        return [
            {"MetricName": name, "Value": value, "Timestamp": moment.isoformat()}
            for name, (value, moment) in self.last.items()
        ]


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) else None
