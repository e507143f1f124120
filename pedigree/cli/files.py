"""Reads and writes what commands are given and produce; a file appears whole or not at all."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO

from pedigree.cli.errors import UsageError


def check(path: Path | None) -> None:
    """Raises UsageError if nothing could be written there; asked before the work that makes it."""
    if path is not None and path.is_dir():
        raise UsageError(f"{path} is a folder", "name a file in it with --output")
    if path is not None and not path.parent.is_dir():
        raise UsageError(f"{path.parent} is not a folder", "make it, or choose another with --output")


def write(text: str, path: Path | None) -> None:
    """Writes a text to a file, or to standard output without a path."""
    content = text.encode()
    if path is None and sys.stdout is None:
        raise UsageError("standard output is closed", "choose a file with --output")
    try:
        if path is None:
            _print(content)
        elif path.exists() and not path.is_file():
            path.write_bytes(content)  # a pipe or a device, which must stay one
        else:
            with _replacing(path.resolve()) as file:
                file.write(content)
    except BrokenPipeError:
        raise  # the reader has closed the pipe, which is no mistake
    except OSError as error:
        place = path or "standard output"
        raise UsageError(f"{place} cannot be written: {error.strerror}", "choose another place with --output") from None


@contextmanager
def writing(path: Path) -> Iterator[IO[bytes]]:
    """A file to write to piece by piece; it replaces the path when the block ends well."""
    if path.is_dir():
        raise UsageError(f"{path} is a folder", "move it out of the way")
    if not path.parent.is_dir():
        raise UsageError(f"{path.parent} is not a folder", "make it, or name another")
    try:
        with _replacing(path.resolve()) as file:
            yield file
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}", "name another folder") from None


def read(path: Path) -> str:
    """The text of a file, or of standard input for -."""
    try:
        return sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read: {error.strerror}", "name a file in JSON, or - for standard input"
        ) from None
    except UnicodeDecodeError:
        raise UsageError(f"{path} is not text in UTF-8", "name a file in JSON, or - for standard input") from None


def _print(content: bytes) -> None:
    try:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    except OSError:
        # What is left in the buffer would fail a second time at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise


@contextmanager
def _replacing(path: Path) -> Iterator[IO[bytes]]:
    """A file that replaces the path if the block ends well, and disappears if it does not."""
    with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        temporary = Path(file.name)
        try:
            yield file
            file.close()
            temporary.chmod(path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~_umask())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
