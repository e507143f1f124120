"""Follows the links that a job has left as its container would, so that none leads the daemon out of the container.

A job may make a link to any path. The daemon sees more than the job did: without this, a link to the access key in
/opt/ml/model would upload the key.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

_MOST_LINKS = 40


def resolved(inside: PurePosixPath, folders: Mapping[str, Path]) -> Path | None:
    """Where a container's path leads on this machine, by the folders of the container; None if in none of them."""
    rest = list(reversed(inside.parts[1:]))
    current, links = PurePosixPath("/"), 0
    while rest:
        part = rest.pop()
        current = current.parent if part == ".." else current / part
        place = _place(current, folders)
        if place is not None and place.is_symlink():
            links += 1
            if links > _MOST_LINKS:
                return None
            target = PurePosixPath(os.readlink(place))  # noqa: PTH115  # the text, which may be of any form
            rest += reversed(target.parts[1:] if target.is_absolute() else target.parts)
            current = PurePosixPath("/") if target.is_absolute() else current.parent
    return _place(current, folders)


def _place(inside: PurePosixPath, folders: Mapping[str, Path]) -> Path | None:
    for target, folder in folders.items():
        if inside.is_relative_to(target):
            return folder / inside.relative_to(target)
    return None


def settle(folder: Path, inside: PurePosixPath, folders: Mapping[str, Path]) -> None:
    """Point the links in a folder at the files of this machine that they mean, and remove those that mean none."""
    for path in [path for path in folder.rglob("*") if path.is_symlink()]:
        meant = resolved(inside / path.relative_to(folder).as_posix(), folders)
        path.unlink()
        if meant is not None and meant.exists():
            path.symlink_to(meant)
