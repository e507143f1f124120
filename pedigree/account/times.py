"""Formats durations and local times."""

from __future__ import annotations

import datetime as dt

_UNITS = (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1))


def took(seconds: float) -> str:
    """A duration by its two largest units: 45 s, 3 min 20 s, 1 h 5 min."""
    left, parts = max(0, round(seconds)), list[str]()
    for unit, size in _UNITS:
        count, left = divmod(left, size)
        if count or (unit == "s" and not parts):
            parts.append(f"{count} {unit}")
        elif parts:
            break
    return " ".join(parts[:2])


def between(started: dt.datetime | None, ended: dt.datetime | None) -> str:
    """The duration between two moments; empty if one of them is missing."""
    return took((ended - started).total_seconds()) if started and ended else ""


def on_the_wall(moment: dt.datetime | None) -> str:
    """A date and time in the zone of this machine."""
    return f"{moment.astimezone():%Y-%m-%d %H:%M:%S}" if moment else ""
