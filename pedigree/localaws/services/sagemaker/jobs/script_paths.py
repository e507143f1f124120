"""Rewrites the paths below /opt/ml in the scripts that a job runs to where they are on this machine.

Scripts of processing jobs usually contain such paths, and so do the drivers of the SageMaker SDK, version 3.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

_KINDS = (".py", ".sh")
_LARGEST_BYTES = 1 << 20


def rewrite(folders: Iterable[Path], mapped: Callable[[str], str]) -> None:
    """Rewrite the scripts in folders. A file is replaced, because it may be a link to the object store's own file."""
    for path in (script for folder in folders for script in _scripts(folder)):
        before = path.read_bytes()
        after = _changed(before, mapped)
        if after != before:
            mode = path.stat().st_mode
            path.unlink()
            path.write_bytes(after)
            path.chmod(mode)


def _scripts(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        is_file = path.is_file() and not path.is_symlink()
        if is_file and path.suffix in _KINDS and path.stat().st_size <= _LARGEST_BYTES:
            yield path


def _changed(content: bytes, mapped: Callable[[str], str]) -> bytes:
    try:
        return mapped(content.decode()).encode()
    except UnicodeDecodeError:
        return content  # it is not text, so it is not a script
