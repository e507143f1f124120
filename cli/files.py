"""Writing what a command produces: to standard output, or to a file that appears whole or not at all."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from tempfile import NamedTemporaryFile

from cli.errors import UsageError


def write(text: str, path: Path | None) -> None:
    """Write a text to a file by rename, or to standard output where there is no path."""
    if path is None:
        sys.stdout.write(text)
        sys.stdout.flush()
        return
    try:
        with NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            file.write(text)
        Path(file.name).chmod(0o666 & ~_umask())
        Path(file.name).replace(path)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}; choose another place with --output") from None


def read(path: Path) -> str:
    """The text of a file, or of standard input for -."""
    try:
        return sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{path} cannot be read: {error}; name a definition in JSON, or - for standard input"
        ) from None


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
