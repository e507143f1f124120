"""Trigger: the time that is due and the next one, between its start and end; of missed times only the last is due."""

from __future__ import annotations

import datetime as dt

import pytest

from pedigree.localaws.services.scheduler.triggers import JUST_BEFORE, Trigger

NOON = dt.datetime(2026, 11, 21, 12, 0, tzinfo=dt.timezone.utc)
MINUTE, HOUR, DAY = dt.timedelta(minutes=1), dt.timedelta(hours=1), dt.timedelta(days=1)


def trigger(expression: str, start: dt.datetime | None = None, end: dt.datetime | None = None) -> Trigger:
    return Trigger("key", expression, "UTC", start, lambda _: None, end=end)


@pytest.mark.parametrize(
    ("schedule", "last_fired", "now", "expected"),
    [
        (trigger("rate(1 hour)"), NOON - JUST_BEFORE, NOON, (NOON, NOON + HOUR)),
        (trigger("rate(1 hour)"), NOON, NOON, (None, NOON + HOUR)),
        (trigger("rate(1 hour)"), NOON, NOON + HOUR, (NOON + HOUR, NOON + 2 * HOUR)),
        (trigger("rate(1 hour)"), NOON, NOON + 5 * HOUR + MINUTE, (NOON + 5 * HOUR, NOON + 6 * HOUR)),
        (trigger("rate(1 hour)", start=NOON + DAY), NOON, NOON + HOUR, (None, NOON + DAY)),
        (trigger("rate(1 hour)", end=NOON + HOUR), NOON, NOON + MINUTE, (None, NOON + HOUR)),
        (trigger("rate(1 hour)", end=NOON + HOUR), NOON + HOUR, NOON + DAY, (None, None)),
        (trigger("cron(30 12 * * ? *)"), NOON, NOON + HOUR, (NOON + HOUR / 2, NOON + DAY + HOUR / 2)),
        (trigger("at(2026-11-21T12:30:00)"), NOON, NOON + HOUR, (NOON + HOUR / 2, None)),
        (trigger("at(2026-11-21T12:30:00)"), NOON, NOON + 3 * DAY, (None, None)),
        (trigger("at(2026-11-21T11:00:00)"), NOON, NOON + HOUR, (None, None)),
    ],
)
def test_a_trigger_has_a_due_time_and_a_next_time(
    schedule: Trigger,
    last_fired: dt.datetime,
    now: dt.datetime,
    expected: tuple[dt.datetime | None, dt.datetime | None],
) -> None:
    assert schedule.due_and_next(last_fired, NOON, now) == expected
