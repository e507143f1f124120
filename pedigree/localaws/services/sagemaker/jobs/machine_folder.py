"""Notices when a job without a container writes to this machine's own /opt/ml.

Only paths in the command, in configuration and in scripts are rewritten; one that a program puts together itself is
not. Such a job would end well, with empty outputs. Changes by another program at the same time look the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

FileTimes: TypeAlias = Mapping[str, tuple[int, int]]
_FOLDERS = ("checkpoints", "code", "config", "input", "model", "output", "processing")
_MOST_FILES = 10_000


def file_times(root: Path) -> FileTimes:
    """The time and the size of each file in the folders that jobs have."""
    found = (path for name in _FOLDERS for path in _below(root / name))
    return {str(path): times for path, _ in zip(found, range(_MOST_FILES), strict=False) if (times := _times(path))}


def first_change(before: FileTimes, after: FileTimes) -> str:
    """The first path that is new or changed; empty if there is none."""
    return min((path for path, times in after.items() if before.get(path) != times), default="")


def _below(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        yield folder
        yield from folder.rglob("*")


def _times(path: Path) -> tuple[int, int] | None:
    try:
        status = path.lstat()
    except OSError:
        return None  # gone meanwhile
    return status.st_mtime_ns, status.st_size
