"""Waits for what another thread, process or server does: as long as it takes, but not forever."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
PATIENCE_SECONDS = 60.0
_PAUSE_SECONDS = 0.02
_ANYTHING = object()


def until(
    look: Callable[[], T], expected: object = _ANYTHING, *, seconds: float = PATIENCE_SECONDS, what: str = ""
) -> T:
    """Call `look` until it returns the expected value, or any true value where none is given; return that value.

    what: what the test waits for, in words, for the failure.
    """
    deadline = time.monotonic() + seconds
    while not _is_reached(found := look(), expected):
        assert time.monotonic() < deadline, _failure(found, expected, seconds, what)
        time.sleep(_PAUSE_SECONDS)
    return found


def _is_reached(found: object, expected: object) -> bool:
    return bool(found) if expected is _ANYTHING else found == expected


def _failure(found: object, expected: object, seconds: float, what: str) -> str:
    awaited = "a true value" if expected is _ANYTHING else repr(expected)
    prefix = f"waiting for {what}: " if what else ""
    return f"{prefix}still {found!r}, not {awaited}, after {seconds:g} seconds"
