"""Stops a training on SIGTERM: the first signal ends the work in order, a second one ends the process at once.

A thread receives the signal, because Python's main thread handles signals only between two of its steps, and a step can
be long while torch computes or waits for processes that are gone.
"""

from __future__ import annotations

import os
import signal
import socket
import threading
import time

SIGTERM_EXIT = 143
# A launcher and a shell may both forward the same signal.
_ECHO_SECONDS = 2.0


class StoppedError(Exception):
    """The work was stopped by a signal; the message says what is saved."""


class StopSignal:
    """Tells whether SIGTERM asked the work to stop."""

    def __init__(self) -> None:
        self.requested = False

    def listen(self) -> None:
        """Starts to listen for SIGTERM."""
        receiver, sender = socket.socketpair()
        sender.setblocking(False)
        threading.Thread(target=self._receive, args=(receiver, sender), name="stop", daemon=True).start()
        signal.set_wakeup_fd(sender.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGTERM, _ignore)

    def _receive(self, receiver: socket.socket, _sender: socket.socket) -> None:
        """Reads the number of every signal from the socket. The other end stays open as long as this runs."""
        ignore_until = 0.0
        while True:
            if receiver.recv(1)[0] != signal.SIGTERM or time.monotonic() < ignore_until:
                continue
            if self.requested:
                os._exit(SIGTERM_EXIT)
            self.requested, ignore_until = True, time.monotonic() + _ECHO_SECONDS


def _ignore(_signal: int, _frame: object) -> None:
    """Replaces the default handler, which would end the process before the thread reads the signal."""
