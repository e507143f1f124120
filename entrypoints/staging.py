"""Writes a data set in a hidden folder inside the output, and moves it into place when it is complete.

The four output folders may exist and be empty: SageMaker creates them. They can be separate mounts, onto which nothing
can be moved, so the contents of the folders move and not the folders themselves.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from errors import InvalidFlagError
from folder_lock import exclusive_access

_PREFIX = ".prepare-"


@contextmanager
def staging_folder(output: Path, channels: Sequence[str]) -> Iterator[Path]:
    """Yields a temporary folder on the output's disk, and removes it afterwards.

    An output folder that this created and that is still empty is removed too. Folders that killed runs left are
    deleted, but not the folder of another live run.
    """
    occupied = [name for name in channels if _is_occupied(output / name)]
    if occupied:
        raise InvalidFlagError(f"{output} already holds {', '.join(occupied)}", "empty it, or name another folder")
    is_new_folder = not output.exists()
    output.mkdir(parents=True, exist_ok=True)
    try:
        with exclusive_access(output):
            for leftover in output.glob(f"{_PREFIX}*"):
                shutil.rmtree(leftover)
            folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=output))
            try:
                yield folder
            finally:
                shutil.rmtree(folder)
    finally:
        if is_new_folder and not any(output.iterdir()):
            output.rmdir()


def publish(staged: Path, output: Path, channels: Sequence[str]) -> None:
    """Moves the staged folders into place; if that fails, it removes what it had moved."""
    moved: list[Path] = []
    try:
        for name in channels:
            target = output / name
            if not target.exists():
                target.mkdir()
                moved.append(target)
            for child in sorted((staged / name).iterdir()):
                moved.append(target / child.name)
                shutil.move(child, target / child.name)
    except BaseException:
        for path in reversed(moved):
            _remove(path)
        raise


def _is_occupied(folder: Path) -> bool:
    return folder.exists() and (not folder.is_dir() or any(folder.iterdir()))


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
