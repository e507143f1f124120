"""When a schedule fires: by the clock on the wall, through summer time and winter time, and never more often."""

from __future__ import annotations

import datetime as dt
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pedigree.schedules.cron import checked
from pedigree.schedules.occurrences import per_month, upcoming

UTC = dt.timezone.utc
NOVEMBER = dt.datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def times(expression: str, zone: str = "UTC", after: dt.datetime = NOVEMBER, count: int = 3) -> list[str]:
    return [f"{time:%Y-%m-%d %H:%M %z}" for time in islice(upcoming(expression, zone, after), count)]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("cron(0 6 ? * MON *)", "2026-11-23 06:00, 2026-11-30 06:00, 2026-12-07 06:00"),
        ("cron(0/20 6-7 21 11 ? *)", "2027-11-21 06:00, 2027-11-21 06:20, 2027-11-21 06:40"),
        ("cron(5/25 12 * * ? *)", "2026-11-21 12:05, 2026-11-21 12:30, 2026-11-21 12:55"),
        ("cron(0 0 L * ? *)", "2026-11-30 00:00, 2026-12-31 00:00, 2027-01-31 00:00"),
        ("cron(0 0 LW * ? *)", "2026-11-30 00:00, 2026-12-31 00:00, 2027-01-29 00:00"),
        ("cron(0 0 15W * ? *)", "2026-12-15 00:00, 2027-01-15 00:00, 2027-02-15 00:00"),
        ("cron(0 0 15W 8 ? *)", "2027-08-16 00:00, 2028-08-15 00:00, 2029-08-15 00:00"),
        ("cron(0 0 1W 5 ? *)", "2027-05-03 00:00, 2028-05-01 00:00, 2029-05-01 00:00"),
        ("cron(0 0 31W * ? *)", "2026-12-31 00:00, 2027-01-29 00:00, 2027-03-31 00:00"),
        ("cron(0 0 29 2 ? *)", "2028-02-29 00:00, 2032-02-29 00:00, 2036-02-29 00:00"),
        ("cron(0 0 ? * L *)", "2026-11-28 00:00, 2026-12-05 00:00, 2026-12-12 00:00"),
        ("cron(0 0 ? * 6L *)", "2026-11-27 00:00, 2026-12-25 00:00, 2027-01-29 00:00"),
        ("cron(0 0 ? * 3#2 *)", "2026-12-08 00:00, 2027-01-12 00:00, 2027-02-09 00:00"),
        ("cron(0 0 ? * TUE#2 *)", "2026-12-08 00:00, 2027-01-12 00:00, 2027-02-09 00:00"),
        ("cron(0 0 ? * FRI-MON *)", "2026-11-22 00:00, 2026-11-23 00:00, 2026-11-27 00:00"),
        ("cron(0 22-2/2 * * ? *)", "2026-11-21 22:00, 2026-11-22 00:00, 2026-11-22 02:00"),
        ("cron(0 0 1 jan ? 2027-2031/2)", "2027-01-01 00:00, 2029-01-01 00:00, 2031-01-01 00:00"),
        ("at(2027-01-31T06:00:00)", "2027-01-31 06:00"),
        ("rate(12 hours)", "2026-11-21 12:00, 2026-11-22 00:00, 2026-11-22 12:00"),
    ],
)
def test_an_expression_fires_at_these_times(expression: str, expected: str) -> None:
    assert ", ".join(times(expression)) == ", ".join(f"{time} +0000" for time in expected.split(", "))


@pytest.mark.parametrize(
    "expression",
    ["cron(0 0 1 1 ? 2025)", "cron(0 0 30 2 ? *)", "at(2026-11-21T12:00:00)", "cron(0 0 31 4,6,9,11 ? *)"],
)
def test_an_expression_in_the_past_has_no_times(expression: str) -> None:
    assert times(expression) == []
    assert per_month(expression, "UTC", NOVEMBER) == 0


def test_a_time_that_spring_jumps_over_is_skipped() -> None:
    spring = dt.datetime(2027, 3, 27, tzinfo=UTC)
    expected = ["2027-03-27 02:30 +0100", "2027-03-29 02:30 +0200", "2027-03-30 02:30 +0200"]
    assert times("cron(30 2 * * ? *)", "Europe/Berlin", spring) == expected
    assert times("at(2027-03-28T02:30:00)", "Europe/Berlin", spring) == []


def test_a_time_that_comes_twice_in_autumn_fires_once() -> None:
    autumn = dt.datetime(2026, 10, 24, 12, tzinfo=UTC)
    expected = ["2026-10-25 02:30 +0200", "2026-10-26 02:30 +0100"]
    assert times("cron(30 2 * * ? *)", "Europe/Berlin", autumn, 2) == expected
    between = dt.datetime(2026, 10, 25, 0, 45, tzinfo=UTC)  # 2:45, for the first time
    assert times("cron(30 2 * * ? *)", "Europe/Berlin", between, 1) == ["2026-10-26 02:30 +0100"]


def test_a_rate_counts_hours_and_not_days() -> None:
    autumn = dt.datetime(2026, 10, 24, 12, tzinfo=UTC)
    expected = ["2026-10-24 14:00 +0200", "2026-10-25 13:00 +0100", "2026-10-26 13:00 +0100"]
    assert times("rate(1 day)", "Europe/Berlin", autumn) == expected


def test_a_rate_continues_from_its_first_time() -> None:
    began = NOVEMBER - dt.timedelta(hours=30)
    first, second = islice(upcoming("rate(1 day)", "UTC", NOVEMBER, began), 2)
    assert first == NOVEMBER + dt.timedelta(hours=18)
    assert second - first == dt.timedelta(days=1)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [("rate(1 day)", 30.4), ("cron(0 6 ? * MON *)", 4.3), ("cron(0 0 1 * ? *)", 1.0), ("cron(* * * * ? *)", 43_800)],
)
def test_how_often_it_fires_in_a_month(expression: str, expected: float) -> None:
    assert per_month(expression, "UTC", NOVEMBER) == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize(
    "expression",
    [
        *("cron(*/0 0 * * ? *)", "cron(0/60 0 * * ? *)", "cron(0,,5 0 * * ? *)", "cron(1_0 0 * * ? *)"),
        *("cron(0 0 ?,1 * ? *)", "cron(0 0 32W * ? *)", "cron(0 0 ? * 8L *)", "cron(0 0 1 1 ? 2030-2027)"),
        *("cron(0 0 1 1 ? 2200)", "cron(0 0 0 * ? *)", "cron(0 0 * MON ? *)", "cron(? 0 * * ? *)", "cron()"),
        *("rate(0 days)", "rate(1 days)", "rate(2 day)", "at(2027-02-30T00:00:00)", "at(now)"),
    ],
)
def test_an_expression_that_scheduler_refuses_is_refused(expression: str) -> None:
    with pytest.raises(ValueError, match=r"^(has|needs|is not an?) "):
        checked(expression)


def _numbers(least: int, most: int) -> st.SearchStrategy[str]:
    number = st.integers(least, most)
    some = st.lists(number, min_size=1, max_size=3).map(lambda chosen: ",".join(map(str, chosen)))
    steps = st.tuples(number, st.integers(1, max(1, most // 2))).map(lambda pair: f"{pair[0]}/{pair[1]}")
    ranges = st.tuples(number, number).map(lambda pair: f"{pair[0]}-{pair[1]}")
    return st.sampled_from(["*"]) | some | steps | ranges


CRONS = st.tuples(
    _numbers(0, 59),
    _numbers(0, 23),
    st.tuples(_numbers(1, 31), st.just("?")) | st.tuples(st.just("?"), _numbers(1, 7)),
    _numbers(1, 12),
).map(lambda parts: f"cron({parts[0]} {parts[1]} {parts[2][0]} {parts[3]} {parts[2][1]} *)")
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"])
MOMENTS = st.datetimes(dt.datetime(2025, 1, 1), dt.datetime(2035, 1, 1), timezones=st.just(UTC))
CLOCK_CHANGES = st.sampled_from(
    [
        dt.datetime(2026, 3, 29, 0, 30, tzinfo=UTC),
        dt.datetime(2026, 10, 25, tzinfo=UTC),
        dt.datetime(2027, 3, 14, 6, tzinfo=UTC),
    ]
)


def _has(field: str, value: int, least: int, most: int) -> bool:
    """Whether a field of cron has a value, read in the plainest way."""
    for part in field.split(","):
        span, _, step = part.partition("/")
        low, _, high = ("*" if span == "*" else span).partition("-")
        first = least if low == "*" else int(low)
        last = int(high) if high else most if low == "*" or step else first
        inside = list(range(first, last + 1)) if first <= last else [*range(first, most + 1), *range(least, last + 1)]
        if value in inside[:: int(step or 1)]:
            return True
    return False


def _fires(expression: str, wall: dt.datetime) -> bool:
    minute, hour, day, month, weekday, _ = expression[5:-1].split(" ")
    return (
        _has(minute, wall.minute, 0, 59)
        and _has(hour, wall.hour, 0, 23)
        and (day == "?" or _has(day, wall.day, 1, 31))
        and _has(month, wall.month, 1, 12)
        and (weekday == "?" or _has(weekday, wall.isoweekday() % 7 + 1, 1, 7))
    )


@given(CRONS, ZONES, MOMENTS | CLOCK_CHANGES)
def test_the_times_are_those_that_trying_every_minute_finds(expression: str, zone: str, after: dt.datetime) -> None:
    place, end = ZoneInfo(zone), after + dt.timedelta(hours=8)
    minutes = [after.replace(second=0, microsecond=0) + dt.timedelta(minutes=number) for number in range(8 * 60 + 1)]
    walls = [minute.astimezone(place) for minute in minutes if after < minute <= end]
    expected = [wall for wall in walls if wall.fold == 0 and _fires(expression, wall)]
    found = []
    for time in islice(upcoming(expression, zone, after), len(walls) + 1):
        if time > end:
            break
        found.append(time)
    assert found == expected


@given(CRONS, ZONES, MOMENTS)
def test_times_are_in_order_and_after_the_moment(expression: str, zone: str, after: dt.datetime) -> None:
    found = list(islice(upcoming(expression, zone, after), 10))
    assert all(first < second for first, second in zip([after, *found], found, strict=False))
    assert all(_fires(expression, time) for time in found)
