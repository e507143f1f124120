"""When a schedule fires: the next times of an expression, by the clock on the wall of its time zone.

A cron expression fires once for each time that the clock shows: a time that is skipped in spring is skipped, and one
that comes twice in autumn counts once. A rate counts hours that have passed, whatever clocks do.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from itertools import count, islice
from zoneinfo import ZoneInfo

from pedigree.schedules.cron import At, Cron, Rate, parse

_YEAR = dt.timedelta(days=365)
_MONTHS = 12
_ENOUGH = 1000


def upcoming(
    expression: str, timezone: str, after: dt.datetime, since: dt.datetime | None = None
) -> Iterator[dt.datetime]:
    """The times after a moment, in order, in the zone; a rate counts from since on, which is its first time."""
    zone, meaning = ZoneInfo(timezone), parse(expression)
    if isinstance(meaning, Rate):
        times = _of_rate(meaning, since or after, after)
    else:
        walls = iter([meaning.moment]) if isinstance(meaning, At) else _walls(meaning, after.astimezone(zone))
        times = (time for wall in walls for time in _exists(wall, zone) if time > after)
    return (time.astimezone(zone) for time in times)


def per_month(expression: str, timezone: str, after: dt.datetime) -> float:
    """How often it fires in a month, on the average of a year; of very frequent ones, of the first thousand times."""
    times = list(islice(upcoming(expression, timezone, after), _ENOUGH))
    within = [time for time in times if time - after < _YEAR]
    span = times[-1] - after if len(within) == _ENOUGH else _YEAR
    return len(within) * (_YEAR / span) / _MONTHS


def _of_rate(rate: Rate, since: dt.datetime, after: dt.datetime) -> Iterator[dt.datetime]:
    """Computed in UTC, in which an hour is an hour."""
    start = since.astimezone(dt.timezone.utc)
    passed = max(0, -((start - after) // rate.every))
    return (start + rate.every * number for number in count(passed))


def _walls(cron: Cron, start: dt.datetime) -> Iterator[dt.datetime]:
    """What the clock on the wall shows when it fires, from the day of a moment on."""
    for year in cron.years:
        for month in cron.months:
            if (year, month) >= (start.year, start.month):
                for day in cron.days.of(year, month):
                    if (year, month, day) >= (start.year, start.month, start.day):
                        yield from (
                            dt.datetime(year, month, day, hour, minute)
                            for hour in cron.hours
                            for minute in cron.minutes
                        )


def _exists(wall: dt.datetime, zone: ZoneInfo) -> Iterator[dt.datetime]:
    """The moment at which the clock shows that time, the first of two; none where it jumps over it."""
    moment = wall.replace(tzinfo=zone).astimezone(dt.timezone.utc)
    if moment.astimezone(zone).replace(tzinfo=None, fold=0) == wall:
        yield moment
