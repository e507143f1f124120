"""Files that are there whole or not at all, and a disk that takes no more, told as what a user can mend."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from errors import WriteError


@contextmanager
def whole(path: Path) -> Iterator[IO[bytes]]:
    """A file to write, which takes its place once it is whole; until then, what was there before stays."""
    unfinished = path.with_name(f"{path.name}.part")
    with told(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with unfinished.open("wb") as file:
                yield file
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)


@contextmanager
def told(folder: Path) -> Iterator[None]:
    """Whatever keeps somebody from writing to a folder, in one line."""
    try:
        yield
    except (OSError, RuntimeError) as error:
        cause = _of_the_system(error)
        if cause is None:
            raise
        raise WriteError(f"{folder} cannot be written to ({cause}); make room on its disk, or name another") from error


def _of_the_system(error: BaseException | None) -> OSError | None:
    """What the system has said: torch, when a file takes no more, says something of its own on top of it."""
    while error is not None and not isinstance(error, OSError):
        error = error.__context__
    return error
