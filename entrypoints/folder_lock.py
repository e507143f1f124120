"""Allows one run at a time in a folder: a lock that ends with its process, and that child processes do not inherit."""

from __future__ import annotations

import errno
import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from errors import InvalidFlagError

_FILE = ".claim"
_LOCKED_ERRNOS = (errno.EACCES, errno.EAGAIN)


@contextmanager
def exclusive_access(folder: Path) -> Iterator[None]:
    """Locks a folder; raises UsageError if another run has locked it."""
    path = folder / _FILE
    with path.open("w") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in _LOCKED_ERRNOS:
                raise InvalidFlagError(f"another run uses {folder}", "wait for it, or name another folder") from None
            # Some file systems do not support locks; the run continues without one.
        try:
            yield
        finally:
            path.unlink(missing_ok=True)
