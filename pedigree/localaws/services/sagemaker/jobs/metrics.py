"""Numbers in a log: what a job's regular expressions find in each line, and what became of each number.

A search compares jobs by what they have told so far, so the values are kept in their order, and not only the last one.
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
class Readings:
    """The values of each metric; what is no finite number is no reading, as the service has it."""

    metrics: Sequence[Metric]
    last: dict[str, tuple[float, dt.datetime]] = field(default_factory=dict)
    series: dict[str, list[float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._patterns = [(one.name, re.compile(one.regex)) for one in self.metrics]

    def read(self, line: str, moment: dt.datetime) -> list[tuple[str, float]]:
        """The numbers that a line tells."""
        found = []
        for name, pattern in self._patterns:
            match = pattern.search(line)
            value = _number(match[1]) if match and pattern.groups else None
            if value is not None:
                found.append((name, value))
                self.last[name] = (value, moment)
                values = self.series.setdefault(name, [])
                if len(values) < _MOST_VALUES:
                    values.append(value)
        return found

    def final(self) -> list[dict[str, Any]]:
        """FinalMetricDataList."""
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
