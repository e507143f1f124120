"""Schedule expressions as EventBridge Scheduler takes them: cron with six fields, rate, and at.

An expression is read into data here; pedigree/schedules/occurrences.py says when it fires.
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
class Field:
    """One of cron's fields: its bounds, names that stand for numbers from the least on, and endings of its own."""

    name: str
    least: int
    most: int
    names: tuple[str, ...] = ()
    endings: str = r"(?!)"

    def number(self, text: str) -> int:
        """The number that a number or a name stands for; ValueError if there is none."""
        number = self.names.index(text) + self.least if text in self.names else int(text)
        if not self.least <= number <= self.most:
            raise ValueError(text)
        return number


_MINUTES = Field("minutes", 0, 59)
_HOURS = Field("hours", 0, 23)
_DAY_OF_MONTH = Field("day of month", 1, 31, (), r"L|LW|\d{1,2}W")
_MONTH = Field("month", 1, 12, _MONTHS)
_DAY_OF_WEEK = Field("day of week", 1, 7, _DAYS, r"L|[1-7]L|[1-7]#[1-5]")
_YEAR = Field("year", 1970, 2199)
_FIELDS = (_MINUTES, _HOURS, _DAY_OF_MONTH, _MONTH, _DAY_OF_WEEK, _YEAR)


@dataclass(frozen=True)
class Cron:
    """The minutes, hours and days on which it fires, by the clock on the wall."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: Days
    months: tuple[int, ...]
    years: tuple[int, ...]


@dataclass(frozen=True)
class Rate:
    """Again and again after the same time, whatever clocks do."""

    every: dt.timedelta


@dataclass(frozen=True)
class At:
    """Once, by the clock on the wall."""

    moment: dt.datetime


Expression: TypeAlias = Cron | Rate | At


def parse(expression: str) -> Expression:
    """What an expression means; ValueError says why Scheduler would not take it."""
    form = _FORMS.fullmatch(expression)
    if not form:
        raise InvalidValueError(
            "is no schedule", "write it like cron(0 6 ? * MON *), rate(7 days) or at(2027-01-31T06:00:00)"
        )
    return _READERS[form[1]](form[2])


def checked(expression: str) -> str:
    """The expression, if Scheduler takes it; ValueError says why it does not."""
    parse(expression)
    return expression


def _rate(text: str) -> Rate:
    match = _RATE.fullmatch(text)
    if not match:
        raise InvalidValueError("is no rate", "write it like rate(1 day) or rate(7 days)")
    return Rate(dt.timedelta(**{f"{match[2] or match[4]}s": int(match[1] or match[3])}))


def _at(text: str) -> At:
    try:
        return At(dt.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S"))
    except ValueError:
        raise InvalidValueError("is no point in time", "write it like at(2027-01-31T06:00:00)") from None


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
        raise InvalidValueError("has to have ? in one of day of month and day of week", "write ? in the other")
    days = _days_of_month(of_month) if texts[4] == _ANY else _days_of_week(of_week)
    return Cron(_numbers(minutes), _numbers(hours), days, _numbers(month), _numbers(year))


Part: TypeAlias = tuple[int, ...] | str


def _parts(field: Field, text: str) -> list[Part]:
    """What a field lists: numbers, or an ending as it was written."""
    if text == _ANY and field in (_DAY_OF_MONTH, _DAY_OF_WEEK):
        return []
    try:
        return [_part(field, part) for part in text.split(",")]
    except ValueError:
        bounds = f"{field.least} to {field.most}"
        raise InvalidValueError(
            f'has {field.name} "{text}"', f"write {bounds}, *, ranges with -, steps with /, lists with ,"
        ) from None


def _part(field: Field, text: str) -> Part:
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


def _around(field: Field, low: int, high: int, step: int) -> range | list[int]:
    """A range; one that ends before it begins goes around: FRI-MON, 22-2."""
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
    near = frozenset(int(one[:-1]) for one in endings if one.endswith("W") and one != "LW")
    return DaysOfMonth(frozenset(_numbers(parts)), near, last="L" in endings, last_weekday="LW" in endings)


def _days_of_week(parts: list[Part]) -> DaysOfWeek:
    endings = _endings(parts)
    saturday = {_DAY_OF_WEEK.most} if "L" in endings else set()
    return DaysOfWeek(
        frozenset({*_numbers(parts), *saturday}),
        last=frozenset(int(one[0]) for one in endings if one[1:] == "L"),
        counted=frozenset((int(one[0]), int(one[2])) for one in endings if one[1:2] == "#"),
    )


_READERS: Mapping[str, Callable[[str], Expression]] = {"cron": _cron, "rate": _rate, "at": _at}
