"""When something fires: the times of its expression within its bounds, and which of them has come. Pure."""

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
    """Something that fires: when, between which moments, and what happens then; made: when it last changed."""

    key: str
    expression: str
    timezone: str
    since: dt.datetime | None
    fire: Callable[[dt.datetime], None]
    made: dt.datetime | None = None
    is_first_at_once: bool = False
    end: dt.datetime | None = None
    oldest: float = DAY
    when_over: Callable[[], None] | None = None

    def times(self, after: dt.datetime, since: dt.datetime) -> Iterator[dt.datetime]:
        """The times at which it fires after a moment."""
        start = self.since or since
        times = upcoming(self.expression, self.timezone, max(after, start - JUST_BEFORE), start)
        for time in dropwhile(lambda time: time <= after, times):
            if self.end is not None and time > self.end:
                return
            yield time

    def around(
        self, seen: dt.datetime, since: dt.datetime, now: dt.datetime
    ) -> tuple[dt.datetime | None, dt.datetime | None]:
        """The last time that has come and was not seen yet, and the next one that is to come."""
        due = None
        for time in self.times(max(seen, now - dt.timedelta(seconds=self.oldest)), since):
            if time > now:
                return due, time
            due = time
        return due, None
