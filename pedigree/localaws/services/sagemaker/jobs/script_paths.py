"""Scripts that a job runs from /opt/ml may have its paths in them: they are run as copies with this machine's.

Scripts for processing jobs are usually written that way, and the drivers of the SageMaker SDK, version 3, are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

_KINDS = (".py", ".sh")
_LARGEST_BYTES = 1 << 20


def moved(folders: Iterable[Path], mapped: Callable[[str], str]) -> None:
    """Rewrite the paths in the scripts of some folders; a file is replaced, for it may be the object store's own."""
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
        return content  # no text, so no script
