"""The file of cached features, and how it grows.

While features are computed, the file has a temporary name and only grows, so that another training can continue after
the last complete row. After a power failure a file may end with zeros. No features are all zero, so such rows are
dropped.
"""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

import cache_folder
from scratch import Table

_DTYPE = np.dtype(np.float32)
_format: Any = np.lib.format  # has no type stubs
log = logging.getLogger(__name__)


class PartialFeatures:
    """A file of features that is being written; without a path, nothing is kept."""

    def __init__(self, final_path: Path | None, can_write: bool = True) -> None:
        self._final_path, self._can_write = final_path, can_write
        self._path = None if final_path is None else partial_path(final_path)
        self._file: IO[bytes] | None = None

    @property
    def is_kept(self) -> bool:
        """Whether added rows are written to the file."""
        return self._path is not None and self._can_write

    def load_rows(self, count: int) -> Table | None:
        """Returns the complete rows that an interrupted training left, if the table was to have `count` rows."""
        if self._path is None:
            return None
        try:
            with self._path.open("rb") as file:
                _format.read_magic(file)
                (all_rows, columns), _, dtype = _format.read_array_header_1_0(file)
                offset = file.tell()
            rows = (self._path.stat().st_size - offset) // (_DTYPE.itemsize * max(1, columns))
            if dtype != _DTYPE or all_rows != count or not 0 < rows <= count:
                return None
            rows_in_file: Table = np.memmap(self._path, _DTYPE, "r", offset, (rows, columns))
        except (OSError, ValueError):
            return None
        while len(rows_in_file) and not rows_in_file[-1].any():
            rows_in_file = rows_in_file[:-1]
        return rows_in_file

    def open_at(self, count: int, columns: int, rows: int) -> None:
        """Opens the file to append after the first `rows` rows."""
        if self._path is None or not self._can_write:
            return
        try:
            folder, size = self._path.parent, count * columns * _DTYPE.itemsize
            if not rows and not cache_folder.make_room(folder, size, shutil.disk_usage(folder).free):
                self._path = None
                return
            self._file = self._path.open("r+b" if rows else "wb", buffering=0)
            if rows:
                _format.read_magic(self._file)
                _format.read_array_header_1_0(self._file)
                self._file.truncate(self._file.seek(rows * columns * _DTYPE.itemsize, os.SEEK_CUR))
            else:
                header = {"descr": _DTYPE.str, "fortran_order": False, "shape": (count, columns)}
                _format.write_array_header_1_0(self._file, header)
        except OSError as error:
            self._abandon(error)

    def add(self, rows: Table) -> None:
        """Appends rows. If that fails, the training continues without the cache."""
        if self._file is None:
            return
        try:
            if self._file.write(rows.astype(_DTYPE, copy=False).tobytes()) != rows.size * _DTYPE.itemsize:
                raise OSError("the disk is full")
        except OSError as error:
            self._abandon(error)

    def commit(self) -> None:
        """Renames the complete file to its final name."""
        if self._file is None or self._path is None or self._final_path is None:
            return
        try:
            os.fsync(self._file.fileno())
            self._path.replace(self._final_path)
        except OSError as error:
            self._abandon(error)
        self.close()

    def close(self) -> None:
        """Stops writing; what was written stays."""
        if self._file is not None:
            self._file.close()
        self._file = None

    def _abandon(self, error: OSError) -> None:
        assert self._path is not None
        log.warning("the features are not kept in %s: %s", self._path.parent, error)
        self.close()
        self._path.unlink(missing_ok=True)
        self._path = None


@dataclass(frozen=True)
class CachedFeatures:
    """The path of one split's cached features, or None if they are not cached."""

    path: Path | None

    @classmethod
    def in_folder(cls, folder: Path | None, name: Callable[[], str]) -> CachedFeatures:
        """Returns the cached features with this name; the name is only computed if the folder is usable."""
        usable = folder is not None and cache_folder.is_usable(folder)
        return cls(folder / f"{name()}{cache_folder.FEATURES}" if folder and usable else None)

    def load(self, count: int) -> Table | None:
        """Returns the features of an earlier training, if they have `count` rows."""
        if self.path is None or not self.path.is_file():
            return None
        with suppress(OSError):
            os.utime(self.path)  # the least recently used file is deleted first
        try:
            # Copy on write: torch does not accept read-only arrays.
            rows_in_file: Table = np.load(self.path, mmap_mode="c")
        except (OSError, ValueError, EOFError) as error:
            log.warning("%s cannot be read (%s); the features are computed again", self.path, error)
            return None
        return (
            rows_in_file
            if rows_in_file.dtype == _DTYPE and rows_in_file.ndim == 2 and len(rows_in_file) == count
            else None
        )

    @contextmanager
    def computing(
        self, is_writer: bool, wait_seconds: float, stop_requested: Callable[[], bool]
    ) -> Iterator[PartialFeatures]:
        """Yields the file to write: one process of a machine writes it, the others only read what was there."""
        if self.path is None or not is_writer:
            yield PartialFeatures(self.path, can_write=False)
            return
        with cache_folder.computing_lock(partial_path(self.path), wait_seconds, stop_requested) as is_sole_writer:
            partial = PartialFeatures(self.path if is_sole_writer else None)
            try:
                yield partial
            finally:
                partial.close()


def partial_path(path: Path) -> Path:
    """Returns the name of a file while it is incomplete."""
    return path.with_name(path.name + cache_folder.PARTIAL)
