"""Formats the next times of a schedule."""

from __future__ import annotations

import datetime as dt
from itertools import islice

from pedigree.schedules.occurrences import upcoming

_SHOWN = 5


def fires(expression: str, timezone: str, now: dt.datetime, since: dt.datetime | None = None) -> list[str]:
    """The next times in the schedule's zone, five at most."""
    return [_as_text(time, now) for time in islice(upcoming(expression, timezone, now, since), _SHOWN)]


def _as_text(time: dt.datetime, now: dt.datetime) -> str:
    text = f"{time:%a %Y-%m-%d %H:%M} {time:%Z} ({time:%z})"
    return f"{text}, at once" if time == now else text
