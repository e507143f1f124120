"""What processes write: a file for each stream, every line with its moment, and the same for CloudWatch's clients.

The files are what lasts. What clients read is in memory at once, and kept every few seconds rather than with every
line; so after a killed daemon it may end a little earlier than the file.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from localaws.records.services import Records
from localaws.world import Clock, Logs

_SERVICE = "logs"
_SECONDS = 3.0
_MOST_SHOWN = 10_000  # lines of a stream; its file has them all


class FileLogs:
    """Streams as files, below a folder for each group."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock
        self._lock = threading.Lock()

    def write(self, group: str, stream: str, *lines: str) -> None:
        """Keep lines."""
        path = self._folder / group.strip("/") / f"{stream}.log"
        moment = self._clock.now().isoformat(timespec="milliseconds")
        with self._lock:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("a", encoding="utf-8") as file:
                file.writelines(f"{moment} {line}\n" for line in lines)


class CloudLogs:
    """What is kept elsewhere, for clients of CloudWatch Logs to read."""

    def __init__(self, kept: Logs, records: Records, region: str, clock: Clock) -> None:
        self._kept = kept
        self._records = records
        self._region = region
        self._clock = clock
        self._is_new = threading.Event()
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._work, name="logs", daemon=True)

    def begin(self) -> None:
        """Keep what clients read, from time to time."""
        self._thread.start()

    def end(self) -> None:
        """Keep all of it."""
        self._is_over.set()
        if self._thread.is_alive():
            self._thread.join()
        self._keep()

    def write(self, group: str, stream: str, *lines: str) -> None:
        """Keep lines, and show them."""
        self._kept.write(group, stream, *lines)
        moment = int(self._clock.now().timestamp() * 1000)
        with self._records.held(_SERVICE, self._region) as backend:
            shown = _stream(backend, group, stream)
            shown.put_log_events([{"timestamp": moment, "message": line} for line in lines])
            if len(shown.events) > 2 * _MOST_SHOWN:
                shown.events = shown.events[-_MOST_SHOWN:]
        self._is_new.set()

    def _work(self) -> None:
        while not self._is_over.wait(_SECONDS):
            self._keep()

    def _keep(self) -> None:
        if self._is_new.is_set():
            self._is_new.clear()
            self._records.keep(_SERVICE)


def _stream(backend: Any, group: str, stream: str) -> Any:
    """A stream, made if there is none."""
    if group not in backend.groups:
        backend.create_log_group(group, {})
    if stream not in backend.groups[group].streams:
        backend.create_log_stream(group, stream)
    return backend.groups[group].streams[stream]
