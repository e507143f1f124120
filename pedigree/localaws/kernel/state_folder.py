"""The folder of a local AWS belongs to its user: it holds secrets, session tokens and what jobs have written."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from pedigree.localaws.kernel.errors import LocalAwsError

OWNER_ONLY = 0o077
"""The umask of the daemon: what it writes is read by its user only."""


class StateFolderError(LocalAwsError):
    """A folder that cannot hold the state of a local AWS."""


def prepare(folder: Path) -> None:
    """Make the folder, or close an existing one to all other users; StateFolderError if that cannot be."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.stat()
        if os.geteuid() not in (status.st_uid, 0):
            raise StateFolderError(f"{folder} belongs to another user", "choose another folder with --folder")
        if status.st_mode & OWNER_ONLY:
            _close(folder)
    except OSError as error:
        raise StateFolderError(f"{folder} cannot be used: {error.strerror}", "choose another with --folder") from None


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its user reads, as a whole or not at all."""
    beside = path.with_name(f"{path.name}.arriving")
    beside.unlink(missing_ok=True)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def _close(folder: Path) -> None:
    """Take every permission of others away, from the outermost folder inwards."""
    _take_permissions(folder)
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            _take_permissions(Path(place, name))


def _take_permissions(path: Path) -> None:
    mode = path.lstat().st_mode
    if mode & OWNER_ONLY and not stat.S_ISLNK(mode):
        path.chmod(stat.S_IMODE(mode) & ~OWNER_ONLY)
