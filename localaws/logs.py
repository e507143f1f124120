"""What processes write: a file for each stream, every line with its moment."""

from __future__ import annotations

import threading
from pathlib import Path

from localaws.world import Clock


class FileLogs:
    """Streams as files, below a folder for each group."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock
        self._lock = threading.Lock()

    def write(self, group: str, stream: str, line: str) -> None:
        """Keep a line."""
        path = self._folder / group.strip("/") / f"{stream}.log"
        moment = self._clock.now().isoformat(timespec="milliseconds")
        with self._lock:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("a", encoding="utf-8") as file:
                file.write(f"{moment} {line}\n")
