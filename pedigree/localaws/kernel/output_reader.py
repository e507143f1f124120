"""Reads what a process prints, line by line, in a thread of its own.

A process's output stays open as long as any of its child processes has it. So after the process has ended, the reader
goes on only as long as lines still come.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import IO

_LOG = logging.getLogger(__name__)
_MAX_LINE_BYTES = 262_144
_POLL_SECONDS = 0.02
_SILENT_SECONDS = 2.0
_MAX_SECONDS = 60.0


class OutputReader:
    """Calls on_line with every line of an output, splits lines that are too long, and calls on_end after the last."""

    def __init__(
        self, output: IO[bytes], on_line: Callable[[str], None], on_end: Callable[[], None] = lambda: None
    ) -> None:
        self._output = output
        self._on_line = on_line
        self._on_end = on_end
        self._last_line_at = time.monotonic()
        self._is_in_callback = False
        self._has_failed = False
        self._thread = threading.Thread(target=self._run, name="output", daemon=True)
        self._thread.start()

    def finish(self, silent: float = _SILENT_SECONDS, longest: float = _MAX_SECONDS) -> bool:
        """Read the rest after the process has ended; return False if another process still has the output open."""
        start = time.monotonic()
        while self._thread.is_alive():
            self._thread.join(_POLL_SECONDS)
            now = time.monotonic()
            is_silent = not self._is_in_callback and now - max(start, self._last_line_at) > silent
            if is_silent or now - start > longest:
                break
        return not self._thread.is_alive()

    def _run(self) -> None:
        with self._output as output:
            while line := output.readline(_MAX_LINE_BYTES):
                self._is_in_callback = True
                self._pass_on(line.decode("utf-8", errors="replace").rstrip("\r\n"))
                self._last_line_at, self._is_in_callback = time.monotonic(), False
        self._on_end()

    def _pass_on(self, line: str) -> None:
        """Keep reading even if a line cannot be stored: a full pipe would block the process."""
        try:
            self._on_line(line)
        except Exception:  # noqa: BLE001  # a full disk or a bug: logged once, and the process goes on
            if not self._has_failed:
                _LOG.exception("the output of a process cannot be stored")
            self._has_failed = True
