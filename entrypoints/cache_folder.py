"""The folder in which features are kept: whose it is, how much of its disk they may take, and who computes which.

Trainings on one machine share it. Those that need the same features compute them once: the others wait for whoever is
at it, and take over where it ends too early.
"""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import re
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

FEATURES, UNFINISHED = ".npy", ".part"
# Whatever else lies in a folder that somebody names is none of our business.
_OURS = re.compile(rf"[0-9a-f]{{32}}{re.escape(FEATURES)}({re.escape(UNFINISHED)})?")
_SHARE_OF_DISK = 0.25
_LOOK_EVERY = 0.2
_PRIVATE = 0o700
log = logging.getLogger(__name__)


def make_room(folder: Path, size: int, free: int) -> bool:
    """Whether so many bytes may be kept in a folder of whose disk so many are free; what is oldest goes for them."""
    found = {path: path.stat() for path in folder.iterdir() if _OURS.fullmatch(path.name)}
    taken = sum(status.st_size for status in found.values())
    most = _SHARE_OF_DISK * (free + taken)
    if size > most:
        log.info("the features take %.2f GB and are not kept: %s has %.2f for them", size / 1e9, folder, most / 1e9)
        return False
    for path, status in sorted(found.items(), key=lambda one: one[1].st_mtime):
        if taken + size <= most:
            break
        path.unlink(missing_ok=True)
        taken -= status.st_size
    return True


def usable(folder: Path) -> bool:
    """Whether a folder can be kept in; where anybody may make folders, only one of our own can."""
    try:
        folder.mkdir(_PRIVATE, parents=True, exist_ok=True)
        is_anybodys = bool(folder.parent.stat().st_mode & stat.S_ISVTX)
        if is_anybodys and (folder.is_symlink() or folder.stat().st_uid != os.geteuid()):
            raise PermissionError(f"{folder} is somebody else's")
    except OSError as error:
        log.warning("features are not kept: %s", error)
        return False
    return True


@contextmanager
def alone(path: Path, patience: float, is_stopped: Callable[[], bool]) -> Iterator[bool]:
    """Whether this process is the one that computes a file; whoever is at it is waited for as long as the file grows.

    The lock is a file of its own: one on the file itself would end as soon as anybody in here has read it.
    """
    lock = path.with_name(f"{path.name}.lock")
    try:
        handle = _waited_for(lock, path, patience, is_stopped)
    except OSError as error:
        log.warning("the features are not kept in %s: %s", path.parent, error)
        handle = None
    try:
        yield handle is not None
    finally:
        if handle is not None:
            lock.unlink(missing_ok=True)
            os.close(handle)


def _waited_for(lock: Path, path: Path, patience: float, is_stopped: Callable[[], bool]) -> int | None:
    """The lock as this process's own, as soon as it can be had."""
    handle, size, since = _taken(lock), -1, time.monotonic()
    if handle is None and patience:
        log.info("the features are being computed by another training, which is waited for")
    while handle is None and not is_stopped() and time.monotonic() - since < patience:
        time.sleep(_LOOK_EVERY)
        grown = _size(path)
        size, since = (grown, time.monotonic()) if grown != size else (size, since)
        handle = _taken(lock)
    return handle


def _taken(lock: Path) -> int | None:
    """The lock as this process's own; None where another one has it."""
    handle = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(handle).st_ino == lock.stat().st_ino:
            return handle
        raise FileNotFoundError(errno.ENOENT, "whoever had it before has removed it")
    except OSError as error:
        os.close(handle)
        if error.errno not in (errno.EACCES, errno.EAGAIN, errno.ENOENT):
            raise  # the file system knows no locks: there, nobody can be asked
    return None


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else -1
