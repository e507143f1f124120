"""A bound on waiting for other processes, where the library that joins them has none that ends in a clear line."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def bounded(seconds: float, give_up: Callable[[], object]) -> Iterator[None]:
    """What happens within this takes so long at most: after that, somebody gives up in its place."""
    timer = threading.Timer(seconds, give_up)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
