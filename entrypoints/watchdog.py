"""Limits the time that a process waits for others, where the library has no time-out with a clear message."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def watchdog(seconds: float, on_timeout: Callable[[], object]) -> Iterator[None]:
    """Calls `on_timeout` in a thread if the body takes longer than this many seconds."""
    timer = threading.Timer(seconds, on_timeout)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
