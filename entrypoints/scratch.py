"""Room for a table of numbers: in memory as far as there is enough, else in a file that takes its room at once.

A file that takes its room as it is written ends the process without a word when the disk is full.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from tempfile import mkstemp
from typing import Any, TypeAlias

import numpy as np

from errors import UsageError

Table: TypeAlias = "np.ndarray[Any, Any]"
_GIGABYTE = 10**9


def table(rows: int, columns: int, memory: float, folder: Path) -> Table:
    """A table in memory if it takes no more than that, else in a file of a folder that nobody sees."""
    size = rows * columns * np.dtype(np.float32).itemsize
    if size <= memory:
        return np.empty((rows, columns), np.float32)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle, name = mkstemp(dir=folder, suffix=".features")
        try:
            _reserve(handle, size)
            return np.memmap(name, np.float32, "r+", shape=(rows, columns))
        finally:
            os.close(handle)
            Path(name).unlink()  # the mapping keeps it; nothing is left behind, however the process ends
    except OSError as error:
        raise UsageError(
            f"the features of {rows} pictures take {size / _GIGABYTE:.2f} GB, more than memory has for them, and "
            f"{folder} has no room for that ({error.strerror}); name a folder that has with --scratch-dir"
        ) from None


def _reserve(handle: int, size: int) -> None:
    """Take the room of a file before anything is written."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(handle, 0, size)
    elif shutil.disk_usage(handle).free < size:
        raise OSError(0, "the disk is full")
    else:
        os.truncate(handle, size)
