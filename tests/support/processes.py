"""What tests need to know about processes."""

from __future__ import annotations

import signal


def enable_interrupts() -> None:
    """Undo, in a process that begins, what a shell does to its background: there an interruption is never heard."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
