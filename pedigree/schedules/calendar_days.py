"""The days of a month that a cron expression selects, by number or by day of the week."""

from __future__ import annotations

import calendar
import datetime as dt
from dataclasses import dataclass
from typing import Protocol

_SATURDAY, _SUNDAY = 7, 1  # as cron counts them


class Days(Protocol):
    """Selects days in every month."""

    def of(self, year: int, month: int) -> list[int]:
        """The selected days of a month, in order."""
        ...


@dataclass(frozen=True)
class DaysOfMonth:
    """Days by number; near selects the weekday nearest to a number, within the month."""

    numbers: frozenset[int]
    near: frozenset[int] = frozenset()
    last: bool = False
    last_weekday: bool = False

    def of(self, year: int, month: int) -> list[int]:
        most = _length(year, month)
        selected = {day for day in self.numbers if day <= most}
        selected |= {_nearest_weekday(year, month, day) for day in self.near if day <= most}
        selected |= {most} if self.last else set()
        selected |= {max(_weekdays(year, month))} if self.last_weekday else set()
        return sorted(selected)


@dataclass(frozen=True)
class DaysOfWeek:
    """Days of the week, 1 for Sunday to 7 for Saturday: every one, the last of the month, or the n-th."""

    numbers: frozenset[int]
    last: frozenset[int] = frozenset()
    counted: frozenset[tuple[int, int]] = frozenset()

    def of(self, year: int, month: int) -> list[int]:
        most = _length(year, month)
        return [day for day in range(1, most + 1) if self._has(_day_of_week(year, month, day), day, most)]

    def _has(self, weekday: int, day: int, most: int) -> bool:
        is_last = day > most - 7
        return (
            weekday in self.numbers
            or (is_last and weekday in self.last)
            or (weekday, (day - 1) // 7 + 1) in self.counted
        )


def _length(year: int, month: int) -> int:
    return calendar.monthrange(year, month)[1]


def _day_of_week(year: int, month: int, day: int) -> int:
    return dt.date(year, month, day).isoweekday() % 7 + 1


def _weekdays(year: int, month: int) -> list[int]:
    days = range(1, _length(year, month) + 1)
    return [day for day in days if _day_of_week(year, month, day) not in (_SATURDAY, _SUNDAY)]


def _nearest_weekday(year: int, month: int, wanted: int) -> int:
    return min(_weekdays(year, month), key=lambda day: abs(day - wanted))
