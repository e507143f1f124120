"""Hearing what a process prints, line by line, in a thread of its own, to the end of it or as long as it makes sense.

The output of a process is open as long as anything has it that the process has started; so its end is waited for no
longer than something is heard.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import IO

_LOG = logging.getLogger(__name__)
_LONGEST_LINE = 262_144
_LOOK_SECONDS = 0.02
_SILENT_SECONDS = 2.0
_LONGEST_SECONDS = 60.0


class Listener:
    """Tells every line of an output, one that never ends in pieces, and says when there are no more."""

    def __init__(
        self, output: IO[bytes], hear: Callable[[str], None], when_over: Callable[[], None] = lambda: None
    ) -> None:
        self._output = output
        self._hear = hear
        self._when_over = when_over
        self._moved = time.monotonic()
        self._is_telling = False
        self._has_failed = False
        self._thread = threading.Thread(target=self._work, name="listener", daemon=True)
        self._thread.start()

    def finish(self, silent: float = _SILENT_SECONDS, longest: float = _LONGEST_SECONDS) -> bool:
        """Hear the rest, when the process has ended; whether that was all, or somebody nobody knows has it open yet."""
        began = time.monotonic()
        while self._thread.is_alive():
            self._thread.join(_LOOK_SECONDS)
            now = time.monotonic()
            is_silent = not self._is_telling and now - max(began, self._moved) > silent
            if is_silent or now - began > longest:
                break
        return not self._thread.is_alive()

    def _work(self) -> None:
        with self._output as output:
            while line := output.readline(_LONGEST_LINE):
                self._is_telling = True
                self._tell(line.decode("utf-8", errors="replace").rstrip("\r\n"))
                self._moved, self._is_telling = time.monotonic(), False
        self._when_over()

    def _tell(self, line: str) -> None:
        """Nobody who cannot take a line, as on a full disk, may keep a process from writing the next."""
        try:
            self._hear(line)
        except Exception:  # noqa: BLE001  # told once; the process goes on
            if not self._has_failed:
                _LOG.exception("what a process prints cannot be kept")
            self._has_failed = True
