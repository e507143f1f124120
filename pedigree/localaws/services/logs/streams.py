"""The output of processes: a file for each log stream, and the same lines for clients of CloudWatch Logs.

Only the files are durable. What clients read is in memory at once, but saved every few seconds and not with every
line; so after a daemon was killed it may end earlier than the file. While nothing can be written, as on a full disk,
lines wait in memory.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from pedigree.clock import Clock
from pedigree.localaws.kernel.background_errors import BackgroundErrors
from pedigree.localaws.moto.backends import MotoBackends

_SERVICE = "logs"
_SAVE_SECONDS = 3.0
_MAX_EVENTS = 10_000  # of a stream; its file has them all
_MAX_PENDING_BYTES = 8 << 20


class LogFiles:
    """Writes streams as files, in one folder for each group."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock
        self._lock = threading.Lock()
        self._pending: dict[Path, bytes] = {}
        self._errors = BackgroundErrors("the output of processes")

    def write(self, group: str, stream: str, *lines: str) -> None:
        """Append lines, or keep them until there is room."""
        path = self._folder / group.strip("/") / f"{stream}.log"
        moment = self._clock.now().isoformat(timespec="milliseconds")
        content = "".join(f"{moment} {line}\n" for line in lines).encode("utf-8", errors="replace")
        with self._lock:
            self._append(path, content)

    def flush(self) -> None:
        """Append pending lines, if there is room again."""
        with self._lock:
            for path in tuple(self._pending):
                self._append(path, b"")

    def _append(self, path: Path, content: bytes) -> None:
        """Append pending and new content; if that fails, both are pending, up to a limit."""
        pending = self._pending.pop(path, b"")

        def append() -> None:
            path.parent.mkdir(parents=True, exist_ok=True)
            _append_all(path, pending + content)

        if not self._errors.survive(append, path):
            size = sum(map(len, self._pending.values())) + len(pending) + len(content)
            self._pending[path] = pending + content if size <= _MAX_PENDING_BYTES else pending


class CloudWatchLogs:
    """Writes lines to files and to moto's log streams."""

    def __init__(
        self, files: LogFiles, backends: MotoBackends, region: str, clock: Clock, *, seconds: float = _SAVE_SECONDS
    ) -> None:
        self._files = files
        self._backends = backends
        self._region = region
        self._clock = clock
        self._seconds = seconds
        self._has_unsaved = threading.Event()
        self._stopped = threading.Event()
        self._errors = BackgroundErrors("the events of log streams")
        self._thread = threading.Thread(target=self._run, name="logs", daemon=True)

    def start(self) -> None:
        """Save what clients read, from time to time."""
        self._thread.start()

    def stop(self) -> None:
        """Save everything."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()
        self._save()

    def write(self, group: str, stream: str, *lines: str) -> None:
        """Write lines to the file, and show them to clients."""
        self._files.write(group, stream, *lines)
        moment = int(self._clock.now().timestamp() * 1000)
        with self._backends.backend(_SERVICE, self._region) as backend:
            log_stream = _log_stream(backend, group, stream)
            log_stream.put_log_events([{"timestamp": moment, "message": line} for line in lines])
            if len(log_stream.events) > 2 * _MAX_EVENTS:
                log_stream.events = log_stream.events[-_MAX_EVENTS:]
        self._has_unsaved.set()

    def _run(self) -> None:
        while not self._stopped.wait(self._seconds):
            self._save()

    def _save(self) -> None:
        self._files.flush()
        if self._has_unsaved.is_set():
            self._has_unsaved.clear()
            if not self._errors.survive(lambda: self._backends.save(_SERVICE)):
                self._has_unsaved.set()


def _append_all(path: Path, content: bytes) -> None:
    """Append all content to a file, or nothing."""
    with path.open("ab", buffering=0) as file:
        size, left = file.tell(), memoryview(content)
        try:
            while left:
                left = left[file.write(left) :]
        except OSError:
            file.truncate(size)
            raise


def _log_stream(backend: Any, group: str, stream: str) -> Any:
    """Return a stream of moto's, created if necessary."""
    if group not in backend.groups:
        backend.create_log_group(group, {})
    if stream not in backend.groups[group].streams:
        backend.create_log_stream(group, stream)
    return backend.groups[group].streams[stream]
