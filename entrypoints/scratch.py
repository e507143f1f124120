"""Allocates a table of numbers: in memory if there is enough, else in a file whose space is reserved at once.

Without reserving, a full disk would kill the process without a message on a later write.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from tempfile import mkstemp
from typing import Any, TypeAlias

import numpy as np

from errors import InvalidFlagError

Table: TypeAlias = "np.ndarray[Any, Any]"
_GIGABYTE = 10**9


def allocate(rows: int, columns: int, memory_limit: float, folder: Path) -> Table:
    """Returns a table in memory if it fits the limit, else in an unlinked file in a folder."""
    size = rows * columns * np.dtype(np.float32).itemsize
    if size <= memory_limit:
        return np.empty((rows, columns), np.float32)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle, name = mkstemp(dir=folder, suffix=".features")
        try:
            _reserve(handle, size)
            return np.memmap(name, np.float32, "r+", shape=(rows, columns))
        finally:
            os.close(handle)
            Path(name).unlink()  # the mapping keeps the data, and nothing is left behind however the process ends
    except OSError as error:
        raise InvalidFlagError(
            f"the features of {rows} pictures take {size / _GIGABYTE:.2f} GB, more than fits into memory, and "
            f"{folder} has no space for that ({error.strerror})",
            "name another folder with --scratch-dir",
        ) from None


def _reserve(handle: int, size: int) -> None:
    """Reserves the space of a file before anything is written."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(handle, 0, size)
    elif shutil.disk_usage(handle).free < size:
        raise OSError(0, "the disk is full")
    else:
        os.truncate(handle, size)
