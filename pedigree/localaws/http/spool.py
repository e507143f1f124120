"""Keeps the body of a request while it comes: in memory as long as it is small, then in a file."""

from __future__ import annotations

import io
import os
import tempfile
from pathlib import Path
from typing import IO

MOST_IN_MEMORY = 256 << 10


class Spool:
    """A body that is written once and then read; its file is removed with close(), unless it was moved away."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._memory = bytearray()
        self._file: IO[bytes] | None = None
        self.path: Path | None = None
        self.size = 0

    def write(self, piece: bytes) -> None:
        if self._file is None and self.size + len(piece) > MOST_IN_MEMORY:
            self._file = self._new_file()
        if self._file is None:
            self._memory += piece
        else:
            self._file.write(piece)
        self.size += len(piece)

    def open(self) -> IO[bytes]:
        """Return the content as a file of its own, from its beginning."""
        if self._file is None or self.path is None:
            return io.BytesIO(self._memory)
        self._file.flush()
        return self.path.open("rb")

    def read(self) -> bytes:
        """Return the whole content."""
        with self.open() as content:
            return content.read()

    def move(self, target: Path) -> None:
        """Make the content a file at a path, whole and on the disk or not at all."""
        if self._file is None or self.path is None:
            self._file = self._new_file()
        path, file = self.path, self._file
        file.flush()
        os.fsync(file.fileno())
        assert path is not None
        path.chmod(0o400)
        path.replace(target)
        self.path = None

    def close(self) -> None:
        """Remove what was not moved away."""
        self._memory = bytearray()
        if self._file is not None:
            self._file.close()
        if self.path is not None:
            self.path.unlink(missing_ok=True)
            self.path = None

    def _new_file(self) -> IO[bytes]:
        """Return a file with what was in memory."""
        handle, name = tempfile.mkstemp(dir=self._folder)
        self.path, file = Path(name), os.fdopen(handle, "wb")
        file.write(self._memory)
        self._memory = bytearray()
        return file
