"""Which times of a schedule have come: each once, within its bounds, and only the last of those that were missed."""

from __future__ import annotations

import datetime as dt

import pytest

from pedigree.localaws.services.scheduler.triggers import JUST_BEFORE, Trigger

NOON = dt.datetime(2026, 11, 21, 12, 0, tzinfo=dt.timezone.utc)
MINUTE, HOUR, DAY = dt.timedelta(minutes=1), dt.timedelta(hours=1), dt.timedelta(days=1)


def timed(expression: str, since: dt.datetime | None = None, end: dt.datetime | None = None) -> Trigger:
    return Trigger("key", expression, "UTC", since, lambda _: None, end=end)


@pytest.mark.parametrize(
    ("what", "seen", "now", "expected"),
    [
        (timed("rate(1 hour)"), NOON - JUST_BEFORE, NOON, (NOON, NOON + HOUR)),
        (timed("rate(1 hour)"), NOON, NOON, (None, NOON + HOUR)),
        (timed("rate(1 hour)"), NOON, NOON + HOUR, (NOON + HOUR, NOON + 2 * HOUR)),
        (timed("rate(1 hour)"), NOON, NOON + 5 * HOUR + MINUTE, (NOON + 5 * HOUR, NOON + 6 * HOUR)),
        (timed("rate(1 hour)", since=NOON + DAY), NOON, NOON + HOUR, (None, NOON + DAY)),
        (timed("rate(1 hour)", end=NOON + HOUR), NOON, NOON + MINUTE, (None, NOON + HOUR)),
        (timed("rate(1 hour)", end=NOON + HOUR), NOON + HOUR, NOON + DAY, (None, None)),
        (timed("cron(30 12 * * ? *)"), NOON, NOON + HOUR, (NOON + HOUR / 2, NOON + DAY + HOUR / 2)),
        (timed("at(2026-11-21T12:30:00)"), NOON, NOON + HOUR, (NOON + HOUR / 2, None)),
        (timed("at(2026-11-21T12:30:00)"), NOON, NOON + 3 * DAY, (None, None)),
        (timed("at(2026-11-21T11:00:00)"), NOON, NOON + HOUR, (None, None)),
    ],
)
def test_the_last_time_that_came_and_the_next(
    what: Trigger, seen: dt.datetime, now: dt.datetime, expected: tuple[dt.datetime | None, dt.datetime | None]
) -> None:
    assert what.around(seen, NOON, now) == expected
