"""Waits for what another thread, process or server does: as long as it takes, but not forever."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
PATIENCE_SECONDS = 60.0
_PAUSE_SECONDS = 0.02
_ANYTHING = object()


def until(look: Callable[[], T], wanted: object = _ANYTHING, *, seconds: float = PATIENCE_SECONDS, what: str = "") -> T:
    """Look again and again until the wanted value is seen; without one, until any true value is; return it.

    what: what is waited for, in words, for the failure.
    """
    deadline = time.monotonic() + seconds
    while not _is_wanted(found := look(), wanted):
        assert time.monotonic() < deadline, _failure(found, wanted, seconds, what)
        time.sleep(_PAUSE_SECONDS)
    return found


def _is_wanted(found: object, wanted: object) -> bool:
    return bool(found) if wanted is _ANYTHING else found == wanted


def _failure(found: object, wanted: object, seconds: float, what: str) -> str:
    expected = "a true value" if wanted is _ANYTHING else repr(wanted)
    prefix = f"waiting for {what}: " if what else ""
    return f"{prefix}still {found!r}, not {expected}, after {seconds:g} seconds"
