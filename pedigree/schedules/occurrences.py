"""Computes when a schedule fires, in its time zone.

A cron expression fires in local time: a time that the clocks skip in spring is skipped, and one that comes twice in
autumn fires once. A rate counts elapsed hours, independent of the local time.
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
    """The times after a moment, in order, in the zone; a rate fires first at since."""
    zone, schedule = ZoneInfo(timezone), parse(expression)
    if isinstance(schedule, Rate):
        times = _of_rate(schedule, since or after, after)
    else:
        local_times = (
            iter([schedule.moment]) if isinstance(schedule, At) else _local_times(schedule, after.astimezone(zone))
        )
        times = (time for local in local_times for time in _existing(local, zone) if time > after)
    return (time.astimezone(zone) for time in times)


def per_month(expression: str, timezone: str, after: dt.datetime) -> float:
    """How often it fires in a month, averaged over a year, or over the first thousand times of a frequent one."""
    times = list(islice(upcoming(expression, timezone, after), _ENOUGH))
    within = [time for time in times if time - after < _YEAR]
    span = times[-1] - after if len(within) == _ENOUGH else _YEAR
    return len(within) * (_YEAR / span) / _MONTHS


def _of_rate(rate: Rate, since: dt.datetime, after: dt.datetime) -> Iterator[dt.datetime]:
    """Computed in UTC, where each day has 24 hours."""
    start = since.astimezone(dt.timezone.utc)
    passed = max(0, -((start - after) // rate.every))
    return (start + rate.every * number for number in count(passed))


def _local_times(cron: Cron, start: dt.datetime) -> Iterator[dt.datetime]:
    """The local times at which it fires, from the day of a moment on."""
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


def _existing(local: dt.datetime, zone: ZoneInfo) -> Iterator[dt.datetime]:
    """The moment of a local time, the first if there are two, nothing if the clocks skip it."""
    moment = local.replace(tzinfo=zone).astimezone(dt.timezone.utc)
    if moment.astimezone(zone).replace(tzinfo=None, fold=0) == local:
        yield moment
