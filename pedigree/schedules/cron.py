"""Parses schedule expressions of EventBridge Scheduler: cron with six fields, rate, and at.

occurrences.py computes when a parsed expression fires.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from pedigree.errors import InvalidValueError
from pedigree.schedules.calendar_days import Days, DaysOfMonth, DaysOfWeek

_FORMS = re.compile(r"(cron|rate|at)\(([^()]*)\)")
_RATE = re.compile(r"(1) (minute|hour|day)|([2-9]|[1-9]\d{1,5}) (minute|hour|day)s", re.ASCII)
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_ANY = "?"


@dataclass(frozen=True)
class CronField:
    """A field of a cron expression: its bounds, the names of its numbers from the least on, and special endings."""

    name: str
    least: int
    most: int
    names: tuple[str, ...] = ()
    endings: str = r"(?!)"

    def number(self, text: str) -> int:
        """The number of a text or a name; ValueError if there is none."""
        number = self.names.index(text) + self.least if text in self.names else int(text)
        if not self.least <= number <= self.most:
            raise ValueError(text)
        return number


_MINUTES = CronField("minutes", 0, 59)
_HOURS = CronField("hours", 0, 23)
_DAY_OF_MONTH = CronField("day of month", 1, 31, (), r"L|LW|\d{1,2}W")
_MONTH = CronField("month", 1, 12, _MONTHS)
_DAY_OF_WEEK = CronField("day of week", 1, 7, _DAYS, rf"L|(?:[1-7]|{'|'.join(_DAYS)})(?:L|#[1-5])")
_YEAR = CronField("year", 1970, 2199)
_FIELDS = (_MINUTES, _HOURS, _DAY_OF_MONTH, _MONTH, _DAY_OF_WEEK, _YEAR)


@dataclass(frozen=True)
class Cron:
    """Fires at these minutes and hours on these days, in local time."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: Days
    months: tuple[int, ...]
    years: tuple[int, ...]


@dataclass(frozen=True)
class Rate:
    """Fires at equal intervals, independent of the local time."""

    every: dt.timedelta


@dataclass(frozen=True)
class At:
    """Fires once, in local time."""

    moment: dt.datetime


Schedule: TypeAlias = Cron | Rate | At


def parse(expression: str) -> Schedule:
    """Parse an expression; ValueError if Scheduler would refuse it."""
    form = _FORMS.fullmatch(expression)
    if not form:
        raise InvalidValueError(
            "is not a schedule", "write it like cron(0 6 ? * MON *), rate(7 days) or at(2027-01-31T06:00:00)"
        )
    return _READERS[form[1]](form[2])


def checked(expression: str) -> str:
    """The expression itself; ValueError if Scheduler would refuse it."""
    parse(expression)
    return expression


def _rate(text: str) -> Rate:
    match = _RATE.fullmatch(text)
    if not match:
        raise InvalidValueError("is not a rate", "write it like rate(1 day) or rate(7 days)")
    return Rate(dt.timedelta(**{f"{match[2] or match[4]}s": int(match[1] or match[3])}))


def _at(text: str) -> At:
    try:
        return At(dt.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S"))
    except ValueError:
        raise InvalidValueError("is not a point in time", "write it like at(2027-01-31T06:00:00)") from None


def _cron(text: str) -> Cron:
    texts = text.upper().split(" ")
    if len(texts) != len(_FIELDS):
        raise InvalidValueError(
            f"has {len(texts)} fields of cron", f"write {', '.join(field.name for field in _FIELDS)}"
        )
    minutes, hours, of_month, month, of_week, year = (
        _parts(field, text) for field, text in zip(_FIELDS, texts, strict=True)
    )
    if (texts[2] == _ANY) == (texts[4] == _ANY):
        raise InvalidValueError("needs ? in exactly one of day of month and day of week", "write ? in one of them")
    days = _days_of_month(of_month) if texts[4] == _ANY else _days_of_week(of_week)
    return Cron(_numbers(minutes), _numbers(hours), days, _numbers(month), _numbers(year))


Part: TypeAlias = tuple[int, ...] | str


def _parts(field: CronField, text: str) -> list[Part]:
    """The parts of a field: numbers, or a special ending as it is written."""
    if text == _ANY and field in (_DAY_OF_MONTH, _DAY_OF_WEEK):
        return []
    try:
        return [_part(field, part) for part in text.split(",")]
    except ValueError:
        bounds = f"{field.least} to {field.most}"
        raise InvalidValueError(
            f'has {field.name} "{text}"', f"write {bounds}, *, ranges with -, steps with /, lists with ,"
        ) from None


def _part(field: CronField, text: str) -> Part:
    if re.fullmatch(field.endings, text, re.ASCII):
        if text.endswith("W") and text != "LW":
            field.number(text[:-1])
        return text
    match = re.fullmatch(r"(\*|([A-Z0-9]{1,4})(?:-([A-Z0-9]{1,4}))?)(?:/(\d{1,4}))?", text, re.ASCII)
    if not match:
        raise ValueError(text)
    whole, first, last, step = match[1], match[2], match[3], int(match[4] or 1)
    low = field.least if whole == "*" else field.number(first)
    high = field.number(last) if last else field.most if whole == "*" or match[4] else low
    if not 1 <= step <= field.most or (high < low and field is _YEAR):
        raise ValueError(text)
    return tuple(_around(field, low, high, step))


def _around(field: CronField, low: int, high: int, step: int) -> range | list[int]:
    """A range; one that ends before it begins wraps around: FRI-MON, 22-2."""
    if low <= high:
        return range(low, high + 1, step)
    size = field.most - field.least + 1
    return [(number - field.least) % size + field.least for number in range(low, high + size + 1, step)]


def _numbers(parts: list[Part]) -> tuple[int, ...]:
    return tuple(sorted({number for part in parts if not isinstance(part, str) for number in part}))


def _endings(parts: list[Part]) -> list[str]:
    return [part for part in parts if isinstance(part, str)]


def _days_of_month(parts: list[Part]) -> DaysOfMonth:
    endings = _endings(parts)
    near = frozenset(int(ending[:-1]) for ending in endings if ending.endswith("W") and ending != "LW")
    return DaysOfMonth(frozenset(_numbers(parts)), near, last="L" in endings, last_weekday="LW" in endings)


def _days_of_week(parts: list[Part]) -> DaysOfWeek:
    endings = _endings(parts)
    saturday = {_DAY_OF_WEEK.most} if "L" in endings else set()
    return DaysOfWeek(
        frozenset({*_numbers(parts), *saturday}),
        last=frozenset(_DAY_OF_WEEK.number(ending[:-1]) for ending in endings if ending[1:].endswith("L")),
        counted=frozenset((_DAY_OF_WEEK.number(ending[:-2]), int(ending[-1])) for ending in endings if "#" in ending),
    )


_READERS: Mapping[str, Callable[[str], Schedule]] = {"cron": _cron, "rate": _rate, "at": _at}
