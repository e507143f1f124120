"""When a schedule fires: the times of its expression between its start and its end. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import dropwhile

from pedigree.localaws.services.events.deliveries import DAY
from pedigree.schedules.occurrences import upcoming

JUST_BEFORE = dt.timedelta(microseconds=1)


@dataclass(frozen=True)
class Trigger:
    """Something that fires at the times of an expression, and what happens then."""

    key: str
    expression: str
    timezone: str
    start: dt.datetime | None
    fire: Callable[[dt.datetime], None]
    modified: dt.datetime | None = None
    fires_at_start: bool = False
    end: dt.datetime | None = None
    max_age_seconds: float = DAY
    on_completion: Callable[[], None] | None = None

    def times_after(self, moment: dt.datetime, anchor: dt.datetime) -> Iterator[dt.datetime]:
        """Yield the times after a moment; without a start of its own, the trigger counts its rate from the anchor."""
        start = self.start or anchor
        times = upcoming(self.expression, self.timezone, max(moment, start - JUST_BEFORE), start)
        for time in dropwhile(lambda time: time <= moment, times):
            if self.end is not None and time > self.end:
                return
            yield time

    def due_and_next(
        self, last_fired: dt.datetime, anchor: dt.datetime, now: dt.datetime
    ) -> tuple[dt.datetime | None, dt.datetime | None]:
        """Return the latest time that is due and has not fired, and the next time after now."""
        due = None
        for time in self.times_after(max(last_fired, now - dt.timedelta(seconds=self.max_age_seconds)), anchor):
            if time > now:
                return due, time
            due = time
        return due, None
