"""Gives memory back to the system: what a large request took must not stay with a daemon that runs for days."""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress

# The parameters of glibc's mallopt.
_MMAP_THRESHOLD, _ARENA_MAX = -3, -8
_LARGE_BYTES = 256 << 10
_ARENAS = 2


def return_large_blocks() -> None:
    """Let glibc map each large block on its own, and give it back when it is freed.

    By itself it stops that after the first large block, and keeps what each of many threads has freed. Other systems
    have no such habit.
    """
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):  # another C library
            libc = ctypes.CDLL(None)
            libc.mallopt(_MMAP_THRESHOLD, _LARGE_BYTES)
            libc.mallopt(_ARENA_MAX, _ARENAS)
