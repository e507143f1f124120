"""Writes files completely or not at all, and explains a full disk as an error that a user can fix."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from errors import WriteError


@contextmanager
def open_atomically(path: Path) -> Iterator[IO[bytes]]:
    """Opens a temporary file that replaces the target once it is complete."""
    temporary = path.with_name(f"{path.name}.part")
    with explain_write_errors(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with temporary.open("wb") as file:
                yield file
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


@contextmanager
def explain_write_errors(folder: Path) -> Iterator[None]:
    """Raises WriteError for what prevents writing to a folder."""
    try:
        yield
    except (OSError, RuntimeError) as error:
        cause = _find_os_error(error)
        if cause is None:
            raise
        raise WriteError(
            f"{folder} cannot be written to ({cause})", "make room on its disk, or name another"
        ) from error


def _find_os_error(error: BaseException | None) -> OSError | None:
    """Returns the system's error behind torch's own."""
    while error is not None and not isinstance(error, OSError):
        error = error.__context__
    return error
