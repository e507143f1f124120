"""Signals in processes that tests start."""

from __future__ import annotations

import signal


def enable_interrupts() -> None:
    """Restore the handling of SIGINT, which a shell turns off for its background processes."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
