"""Schedule expressions as EventBridge Scheduler takes them: cron with six fields, rate, and at."""

from __future__ import annotations

import re
from datetime import datetime

_FORMS = re.compile(r"(cron|rate|at)\(([^()]*)\)")
_RATE = re.compile(r"1 (minute|hour|day)|([2-9]|[1-9]\d{1,5}) (minutes|hours|days)")
_MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
_DAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
# The fields of cron: least and most, names that stand for numbers from the least on, and endings of their own.
_FIELDS: tuple[tuple[str, int, int, list[str], str], ...] = (
    ("minutes", 0, 59, [], ""),
    ("hours", 0, 23, [], ""),
    ("day of month", 1, 31, [], r"|\?|L|LW|(\d{1,2})W"),
    ("month", 1, 12, _MONTHS, ""),
    ("day of week", 1, 7, _DAYS, r"|\?|L|[1-7]L|[1-7]#[1-5]"),
    ("year", 1970, 2199, [], ""),
)


def checked(expression: str) -> str:
    """The expression, if Scheduler takes it; ValueError says why it does not."""
    form = _FORMS.fullmatch(expression)
    if not form:
        raise ValueError("is no schedule; write it like cron(0 6 ? * MON *), rate(7 days) or at(2027-01-31T06:00:00)")
    {"cron": _check_cron, "rate": _check_rate, "at": _check_at}[form[1]](form[2])
    return expression


def _check_rate(text: str) -> None:
    if not _RATE.fullmatch(text):
        raise ValueError("is no rate; write it like rate(1 day) or rate(7 days)")


def _check_at(text: str) -> None:
    try:
        datetime.strptime(text, "%Y-%m-%dT%H:%M:%S")
    except ValueError:
        raise ValueError("is no point in time; write it like at(2027-01-31T06:00:00)") from None


def _check_cron(text: str) -> None:
    fields = text.split(" ")
    if len(fields) != len(_FIELDS):
        raise ValueError(f"has {len(fields)} fields of cron; write {', '.join(name for name, *_ in _FIELDS)}")
    for field, (name, least, most, names, endings) in zip(fields, _FIELDS, strict=True):
        if not all(_is_part(part, least, most, names, endings) for part in field.split(",")):
            raise ValueError(
                f'has {name} "{field}"; write {least} to {most}, *, ranges with -, steps with /, lists with ,'
            )
    if (fields[2] == "?") == (fields[4] == "?"):
        raise ValueError("has to have ? in one of day of month and day of week; write ? in the other")


def _is_part(part: str, least: int, most: int, names: list[str], endings: str) -> bool:
    one = rf"(\d{{1,4}}|{'|'.join(names) or 'none'})"
    match = re.fullmatch(rf"(\*|{one}(-{one})?)(/\d{{1,4}})?{endings}", part, re.IGNORECASE)
    numbers = [int(number) for number in re.findall(r"\d+", part.partition("/")[0].partition("#")[0])]
    return match is not None and all(least <= number <= most for number in numbers)
