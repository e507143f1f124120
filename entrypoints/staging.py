"""All or nothing: a data set is made in a hidden folder beside its place, and moved there when it is whole.

The four folders of the output may be there already, empty: SageMaker makes them, and they can be mounts of their own,
which nothing can be moved onto. So what is in a folder moves, not the folder.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from folder_lock import claim
from errors import UsageError

_PREFIX = ".prepare-"


@contextmanager
def staging_folder(output: Path, channels: Sequence[str]) -> Iterator[Path]:
    """A folder on the output's disk, gone afterwards; an output folder made for nothing is gone too.

    What a run left that was killed is cleared away; what one is at that is still alive is left alone.
    """
    taken = [name for name in channels if _taken(output / name)]
    if taken:
        raise UsageError(f"{output} already holds {', '.join(taken)}; empty it, or name another folder")
    new = not output.exists()
    output.mkdir(parents=True, exist_ok=True)
    try:
        with claim(output):
            for left in output.glob(f"{_PREFIX}*"):
                shutil.rmtree(left)
            folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=output))
            try:
                yield folder
            finally:
                shutil.rmtree(folder)
    finally:
        if new and not any(output.iterdir()):
            output.rmdir()


def hand_over(made: Path, output: Path, channels: Sequence[str]) -> None:
    """Move what was made to its place; when that fails half-way, nothing stays there."""
    moved: list[Path] = []
    try:
        for name in channels:
            place = output / name
            if not place.exists():
                place.mkdir()
                moved.append(place)
            for child in sorted((made / name).iterdir()):
                moved.append(place / child.name)
                shutil.move(child, place / child.name)
    except BaseException:
        for path in reversed(moved):
            _remove(path)
        raise


def _taken(folder: Path) -> bool:
    return folder.exists() and (not folder.is_dir() or any(folder.iterdir()))


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
