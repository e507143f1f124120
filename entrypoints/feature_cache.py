"""The file in which features lie for the next training, and how it grows.

While they are computed it has another name, and only ever grows: whoever goes on takes the rows that are whole. A table
of the disk's that was lost with the machine's power may end in zeros, which no features are; these rows are left out.
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

_NUMBER = np.dtype(np.float32)
_format: Any = np.lib.format  # without types
log = logging.getLogger(__name__)


class Part:
    """The features that a file shall have, as far as they have come; without a file, they are not kept."""

    def __init__(self, whole: Path | None, may_write: bool = True) -> None:
        self._whole, self._may_write = whole, may_write
        self._path = None if whole is None else unfinished(whole)
        self._file: IO[bytes] | None = None

    @property
    def keeps(self) -> bool:
        """Whether what is there is kept, and what is added."""
        return self._path is not None and self._may_write

    def so_far(self, count: int) -> Table | None:
        """What was kept of so many rows by a training that came to no end."""
        if self._path is None:
            return None
        try:
            with self._path.open("rb") as file:
                _format.read_magic(file)
                (all_rows, columns), _, kind = _format.read_array_header_1_0(file)
                begin = file.tell()
            rows = (self._path.stat().st_size - begin) // (_NUMBER.itemsize * max(1, columns))
            if kind != _NUMBER or all_rows != count or not 0 < rows <= count:
                return None
            found: Table = np.memmap(self._path, _NUMBER, "r", begin, (rows, columns))
        except (OSError, ValueError):
            return None
        while len(found) and not found[-1].any():
            found = found[:-1]
        return found

    def begin(self, count: int, columns: int, rows: int) -> None:
        """Go on behind so many of the rows that are there."""
        if self._path is None or not self._may_write:
            return
        try:
            folder, size = self._path.parent, count * columns * _NUMBER.itemsize
            if not rows and not cache_folder.make_room(folder, size, shutil.disk_usage(folder).free):
                self._path = None
                return
            self._file = self._path.open("r+b" if rows else "wb", buffering=0)
            if rows:
                _format.read_magic(self._file)
                _format.read_array_header_1_0(self._file)
                self._file.truncate(self._file.seek(rows * columns * _NUMBER.itemsize, os.SEEK_CUR))
            else:
                described = {"descr": _NUMBER.str, "fortran_order": False, "shape": (count, columns)}
                _format.write_array_header_1_0(self._file, described)
        except OSError as error:
            self._give_up(error)

    def add(self, rows: Table) -> None:
        """Keep some more; where they cannot be kept, the training goes on with them all the same."""
        if self._file is None:
            return
        try:
            if self._file.write(rows.astype(_NUMBER, copy=False).tobytes()) != rows.size * _NUMBER.itemsize:
                raise OSError("the disk is full")
        except OSError as error:
            self._give_up(error)

    def finish(self) -> None:
        """All are there: the file gets its name."""
        if self._file is None or self._path is None or self._whole is None:
            return
        try:
            os.fsync(self._file.fileno())
            self._path.replace(self._whole)
        except OSError as error:
            self._give_up(error)
        self.close()

    def close(self) -> None:
        """Add nothing more; what is there stays."""
        if self._file is not None:
            self._file.close()
        self._file = None

    def _give_up(self, error: OSError) -> None:
        assert self._path is not None
        log.warning("the features are not kept in %s: %s", self._path.parent, error)
        self.close()
        self._path.unlink(missing_ok=True)
        self._path = None


@dataclass(frozen=True)
class Kept:
    """The place of the features of one split, or none."""

    path: Path | None

    @classmethod
    def below(cls, folder: Path | None, name: Callable[[], str]) -> Kept:
        """The place of features of a name in a folder, if there can be one."""
        usable = folder is not None and cache_folder.usable(folder)
        return cls(folder / f"{name()}{cache_folder.FEATURES}" if folder and usable else None)

    def load(self, count: int) -> Table | None:
        """The features that an earlier training has kept, if they are of as many pictures."""
        if self.path is None or not self.path.is_file():
            return None
        with suppress(OSError):
            os.utime(self.path)  # what was used least lately goes first
        try:
            # Copied as soon as somebody writes: torch takes no array that cannot be written to.
            found: Table = np.load(self.path, mmap_mode="c")
        except (OSError, ValueError, EOFError) as error:
            log.warning("%s cannot be read (%s); the features are computed again", self.path, error)
            return None
        return found if found.dtype == _NUMBER and found.ndim == 2 and len(found) == count else None

    @contextmanager
    def growing(self, is_writer: bool, patience: float, is_stopped: Callable[[], bool]) -> Iterator[Part]:
        """The features while they are computed: kept by one process of a machine, and seen by its others."""
        if self.path is None or not is_writer:
            yield Part(self.path, may_write=False)
            return
        with cache_folder.alone(unfinished(self.path), patience, is_stopped) as is_alone:
            part = Part(self.path if is_alone else None)
            try:
                yield part
            finally:
                part.close()


def unfinished(path: Path) -> Path:
    """How the file is called while it grows."""
    return path.with_name(path.name + cache_folder.UNFINISHED)
