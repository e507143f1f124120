"""Where the originals lie: a folder or a zip, which look the same to whoever reads them.

A store is opened anew in every worker process: two processes that share an open file also share its position.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from errors import DataError
from safe_names import writable
from zip_reader import LIMITS, ZipStore


class Store(Protocol):
    """The originals, by name."""

    def names(self) -> tuple[str, ...]:
        """Every name in order; folders end with a slash."""

    def read(self, name: str) -> bytes:
        """The bytes under a name; DataError says why there are none."""

    def close(self) -> None:
        """Let go of what is open."""


class FolderStore:
    """The originals in a folder; links in it are followed, for it is the user's own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def names(self) -> tuple[str, ...]:
        """Every file and folder in order; what is neither (a pipe, a device) is left alone."""
        return tuple(sorted(writable(name) for name in _walked(self._folder)))

    def read(self, name: str) -> bytes:
        """A file's bytes."""
        path = self._folder / name
        try:
            if path.stat().st_size > LIMITS.member_bytes:
                raise DataError(f"has more than {LIMITS.member_bytes} bytes; make it smaller")
            return path.read_bytes()
        except OSError as error:
            raise DataError(f"cannot be read: {error.strerror}; see to its permissions") from None

    def close(self) -> None:
        """Nothing stays open."""


def opened(path: Path) -> Store:
    """The store that a path is."""
    return FolderStore(path) if path.is_dir() else ZipStore(path)


def lone_zip(folder: Path) -> Path | None:
    """The zip that is all there is in a folder, as S3 hands one in."""
    found = [path for path in folder.iterdir() if not path.name.startswith(".")]
    return found[0] if len(found) == 1 and found[0].is_file() and found[0].suffix.lower() == ".zip" else None


def _walked(folder: Path) -> Iterator[str]:
    seen = set()  # links can lead in circles
    for root, folders, files in os.walk(folder, followlinks=True):
        identity = Path(root).stat()
        if (identity.st_dev, identity.st_ino) in seen:
            folders.clear()
            continue
        seen.add((identity.st_dev, identity.st_ino))
        # Otherwise which of two ways to one folder is taken would be up to the file system.
        folders.sort()
        here = Path(root).relative_to(folder)
        yield from (f"{(here / name).as_posix()}/" for name in folders)
        yield from ((here / name).as_posix() for name in files if (Path(root) / name).is_file())
