"""One run at a time in a folder: a claim that ends with its process, however that ends, and is not its children's."""

from __future__ import annotations

import errno
import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from errors import UsageError

_FILE = ".claim"
_TAKEN = (errno.EACCES, errno.EAGAIN)


@contextmanager
def claim(folder: Path) -> Iterator[None]:
    """The folder as this run's own; UsageError when another run has it."""
    path = folder / _FILE
    with path.open("w") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in _TAKEN:
                raise UsageError(f"another run is at work in {folder}; wait for it, or name another folder") from None
            # Some file systems know no locks; there, nobody can be asked.
        try:
            yield
        finally:
            path.unlink(missing_ok=True)
