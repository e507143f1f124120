"""Waits for other hosts, which may start later."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
_SECONDS_TO_MEET = 300
_SECONDS_BETWEEN = 0.2


def address_of(host: str) -> str:
    """The address of a host, as soon as its name has one."""
    return when_there(lambda: socket.gethostbyname(host))


def when_there(look: Callable[[], T]) -> T:
    """What a call returns as soon as the network has it."""
    deadline = time.monotonic() + _SECONDS_TO_MEET
    while True:
        try:
            return look()
        except (OSError, ValueError):
            if time.monotonic() > deadline:
                raise
            time.sleep(_SECONDS_BETWEEN)
