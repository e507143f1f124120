"""Reads the originals from a folder or a zip, with the same interface.

Every worker process opens its own reader: two processes that share an open file also share its position.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from errors import DataError
from safe_names import check_name
from zip_reader import LIMITS, ZipReader


class SourceReader(Protocol):
    """The originals, by name."""

    def names(self) -> tuple[str, ...]:
        """Returns all names in order; folders end with a slash."""

    def read(self, name: str) -> bytes:
        """Returns the bytes of a file; raises DataError with the reason if it cannot be read."""

    def close(self) -> None:
        """Closes what is open."""


class FolderReader:
    """Reads the originals in a folder. Links are followed, as the folder is the user's own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def names(self) -> tuple[str, ...]:
        """Returns all files and folders in order; pipes and devices are skipped."""
        return tuple(sorted(check_name(name) for name in _walk(self._folder)))

    def read(self, name: str) -> bytes:
        path = self._folder / name
        try:
            if path.stat().st_size > LIMITS.member_bytes:
                raise DataError(f"has more than {LIMITS.member_bytes} bytes", "make it smaller")
            return path.read_bytes()
        except OSError as error:
            raise DataError(f"cannot be read: {error.strerror}", "check its permissions") from None

    def close(self) -> None:
        """Does nothing: no file stays open."""


def open_source(path: Path) -> SourceReader:
    """Opens a folder or a zip."""
    return FolderReader(path) if path.is_dir() else ZipReader(path)


def only_zip(folder: Path) -> Path | None:
    """Returns the zip if it is the only file in a folder, as S3 input often is."""
    entries = [path for path in folder.iterdir() if not path.name.startswith(".")]
    return entries[0] if len(entries) == 1 and entries[0].is_file() and entries[0].suffix.lower() == ".zip" else None


def _walk(folder: Path) -> Iterator[str]:
    visited = set()  # links can form circles
    for root, folders, files in os.walk(folder, followlinks=True):
        identity = Path(root).stat()
        if (identity.st_dev, identity.st_ino) in visited:
            folders.clear()
            continue
        visited.add((identity.st_dev, identity.st_ino))
        # Otherwise the file system's order would decide which of two paths to a folder is used.
        folders.sort()
        relative = Path(root).relative_to(folder)
        yield from (f"{(relative / name).as_posix()}/" for name in folders)
        yield from ((relative / name).as_posix() for name in files if (Path(root) / name).is_file())
