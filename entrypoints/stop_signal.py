"""Being asked to stop: once, and the work ends in order; once more, and the process ends at once.

SIGTERM is heard by a thread of its own: Python tells the main thread only between two of its steps, and one of them can
be long while torch computes, or waits for processes that are gone.
"""

from __future__ import annotations

import os
import signal
import socket
import threading
import time

STOPPED_EXIT = 143
# A launcher and a shell may both hand on what was asked once.
_ECHO_SECONDS = 2.0


class StoppedError(Exception):
    """Somebody asked the work to stop, and it did; the message says what is kept."""


class Stop:
    """Whether somebody asked the work to stop."""

    def __init__(self) -> None:
        self.asked = False

    def listen(self) -> None:
        """Hear SIGTERM from now on."""
        heard, told = socket.socketpair()
        told.setblocking(False)
        threading.Thread(target=self._hear, args=(heard, told), name="stop", daemon=True).start()
        signal.set_wakeup_fd(told.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGTERM, _leave_it_to_the_thread)

    def _hear(self, heard: socket.socket, _told: socket.socket) -> None:
        """The number of every signal comes by the socket, whose other end is open as long as this runs."""
        ignored_until = 0.0
        while True:
            if heard.recv(1)[0] != signal.SIGTERM or time.monotonic() < ignored_until:
                continue
            if self.asked:
                os._exit(STOPPED_EXIT)
            self.asked, ignored_until = True, time.monotonic() + _ECHO_SECONDS


def _leave_it_to_the_thread(_signal: int, _frame: object) -> None:
    """A signal that nobody handles would end the process before the thread hears of it."""
