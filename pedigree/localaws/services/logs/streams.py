"""What processes write: a file for each stream, every line with its moment, and the same for CloudWatch's clients.

The files are what lasts. What clients read is in memory at once, and kept every few seconds rather than with every
line; so after a killed daemon it may end a little earlier than the file. While nothing can be written, as on a full
disk, lines wait in memory until there is room again.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from pedigree.localaws.kernel.background_errors import BackgroundErrors
from pedigree.localaws.kernel.world import Clock
from pedigree.localaws.moto.services import Records

_SERVICE = "logs"
_SECONDS = 3.0
_MOST_SHOWN = 10_000  # lines of a stream; its file has them all
_MOST_WAITING = 8 << 20


class LogFiles:
    """Streams as files, below a folder for each group."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock
        self._lock = threading.Lock()
        self._waiting: dict[Path, bytes] = {}
        self._troubles = BackgroundErrors("what processes print")

    def write(self, group: str, stream: str, *lines: str) -> None:
        """Keep lines, or have them wait."""
        path = self._folder / group.strip("/") / f"{stream}.log"
        moment = self._clock.now().isoformat(timespec="milliseconds")
        content = "".join(f"{moment} {line}\n" for line in lines).encode("utf-8", errors="replace")
        with self._lock:
            self._keep(path, content)

    def keep(self) -> None:
        """Keep what waits, if there is room again."""
        with self._lock:
            for path in tuple(self._waiting):
                self._keep(path, b"")

    def _keep(self, path: Path, content: bytes) -> None:
        """Keep what waits for a file, and more; all of it waits if that fails, as long as that is not too much."""
        waiting = self._waiting.pop(path, b"")

        def kept() -> None:
            path.parent.mkdir(parents=True, exist_ok=True)
            _append(path, waiting + content)

        if not self._troubles.survive(kept, path):
            has_room = sum(map(len, self._waiting.values())) + len(waiting) + len(content) <= _MOST_WAITING
            self._waiting[path] = waiting + content if has_room else waiting


class CloudWatchLogs:
    """What is kept elsewhere, for clients of CloudWatch Logs to read."""

    def __init__(
        self, kept: LogFiles, records: Records, region: str, clock: Clock, *, seconds: float = _SECONDS
    ) -> None:
        self._kept = kept
        self._records = records
        self._region = region
        self._clock = clock
        self._seconds = seconds
        self._is_new = threading.Event()
        self._is_over = threading.Event()
        self._troubles = BackgroundErrors("what clients read of logs")
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
        while not self._is_over.wait(self._seconds):
            self._keep()

    def _keep(self) -> None:
        self._kept.keep()
        if self._is_new.is_set():
            self._is_new.clear()
            if not self._troubles.survive(lambda: self._records.keep(_SERVICE)):
                self._is_new.set()


def _append(path: Path, content: bytes) -> None:
    """Add all of it to a file, or nothing."""
    with path.open("ab", buffering=0) as file:
        size, left = file.tell(), memoryview(content)
        try:
            while left:
                left = left[file.write(left) :]
        except OSError:
            file.truncate(size)
            raise


def _stream(backend: Any, group: str, stream: str) -> Any:
    """A stream, made if there is none."""
    if group not in backend.groups:
        backend.create_log_group(group, {})
    if stream not in backend.groups[group].streams:
        backend.create_log_stream(group, stream)
    return backend.groups[group].streams[stream]
