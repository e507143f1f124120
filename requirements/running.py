"""Runs the programs of a set-up, several at the same time: shows how far they are, and ends them on an interrupt."""

from __future__ import annotations

import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from typing import TextIO


class SetUpError(Exception):
    """An environment that cannot be set up; the message is for the user."""


class Progress:
    """Says how far the environments are: on a terminal in one line that changes, else with a line at start and end."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._states: dict[str, str] = {}
        self._lock = threading.Lock()
        self._start = time.monotonic()

    def line(self, text: str) -> None:
        """Print a line of its own."""
        with self._lock:
            self._stream.write(f"\r\033[K{text}\n" if self._stream.isatty() else f"{text}\n")
            self._draw()

    def state(self, folder: str, text: str) -> None:
        """Change what the moving line says about a folder; an empty text removes it."""
        with self._lock:
            self._states[folder] = text
            self._draw()

    def end(self) -> None:
        """Remove the moving line."""
        self._states.clear()
        self._draw()

    def _draw(self) -> None:
        if not self._stream.isatty():
            return
        states = [f"{folder}: {text}" for folder, text in self._states.items() if text]
        line = "  ".join([*states, f"{time.monotonic() - self._start:.0f} s"]) if states else ""
        self._stream.write(f"\r\033[K{line[: shutil.get_terminal_size().columns - 1]}")
        self._stream.flush()


class Programs:
    """Runs programs. An interrupt ends those that run and starts no more, so that every thread comes to its end."""

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[str]] = set()
        self.interrupted = False

    def run(self, command: list[str], **options: object) -> Iterator[str]:
        """Run a program and yield its lines; SetUpError with the last ones if it fails."""
        self.check()
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, "errors": "replace"}
        lines: list[str] = []
        with subprocess.Popen(command, **pipes, **options) as process:  # type: ignore[call-overload]
            self._running.add(process)
            if self.interrupted:
                process.terminate()
            for line in process.stdout:
                lines.append(line)
                yield line
        self._running.discard(process)
        self.check()
        if process.returncode:
            raise SetUpError("".join(lines[-15:]).rstrip())

    def check(self) -> None:
        """Stop here if the set-up was interrupted."""
        if self.interrupted:
            raise SetUpError("interrupted; the next make starts again")

    def interrupt(self, *_: object) -> None:
        """End what runs; a handler of signals."""
        self.interrupted = True
        for process in list(self._running):
            process.terminate()
