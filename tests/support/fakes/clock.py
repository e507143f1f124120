"""A clock that moves only while something sleeps."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone

START = 1_800_000_000.0


@dataclass
class SimulatedClock:
    """Seconds since 1970."""

    seconds: float = START

    def now(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds

    def moment(self) -> datetime:
        return datetime.fromtimestamp(self.seconds, timezone.utc)
