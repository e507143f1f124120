"""The folder for cached features: who owns it, how much of the disk it may use, and which process computes what.

Trainings on one machine share the folder. If several need the same features, one computes them and the others wait; if
that one ends too early, another takes over.
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

FEATURES, PARTIAL = ".npy", ".part"
# The user may name a folder that holds other files; these are never deleted.
_CACHE_FILE = re.compile(rf"[0-9a-f]{{32}}{re.escape(FEATURES)}({re.escape(PARTIAL)})?")
_DISK_SHARE = 0.25
_POLL_SECONDS = 0.2
_OWNER_ONLY = 0o700
log = logging.getLogger(__name__)


def make_room(folder: Path, size: int, free: int) -> bool:
    """Deletes the oldest features until `size` bytes fit into our share of the disk; returns whether they fit."""
    files = {path: path.stat() for path in folder.iterdir() if _CACHE_FILE.fullmatch(path.name)}
    used = sum(stat_result.st_size for stat_result in files.values())
    limit = _DISK_SHARE * (free + used)
    if size > limit:
        log.info("the features need %.2f GB and are not kept: %s may hold %.2f", size / 1e9, folder, limit / 1e9)
        return False
    for path, stat_result in sorted(files.items(), key=lambda item: item[1].st_mtime):
        if used + size <= limit:
            break
        path.unlink(missing_ok=True)
        used -= stat_result.st_size
    return True


def is_usable(folder: Path) -> bool:
    """Returns whether features can be kept in a folder. In a shared parent like /tmp, the folder must be our own."""
    try:
        folder.mkdir(_OWNER_ONLY, parents=True, exist_ok=True)
        is_shared_parent = bool(folder.parent.stat().st_mode & stat.S_ISVTX)
        if is_shared_parent and (folder.is_symlink() or folder.stat().st_uid != os.geteuid()):
            raise PermissionError(f"{folder} belongs to another user")
    except OSError as error:
        log.warning("features are not kept: %s", error)
        return False
    return True


@contextmanager
def computing_lock(path: Path, wait_seconds: float, stop_requested: Callable[[], bool]) -> Iterator[bool]:
    """Yields whether this process is the one that computes a file; waits for another one while the file grows.

    The lock is a file of its own: a lock on the file itself would end as soon as this process reads and closes it.
    """
    lock = path.with_name(f"{path.name}.lock")
    try:
        handle = _wait_for_lock(lock, path, wait_seconds, stop_requested)
    except OSError as error:
        log.warning("the features are not kept in %s: %s", path.parent, error)
        handle = None
    try:
        yield handle is not None
    finally:
        if handle is not None:
            lock.unlink(missing_ok=True)
            os.close(handle)


def _wait_for_lock(lock: Path, path: Path, wait_seconds: float, stop_requested: Callable[[], bool]) -> int | None:
    handle, size, last_growth = _try_lock(lock), -1, time.monotonic()
    if handle is None and wait_seconds:
        log.info("another training computes these features; waiting for it")
    while handle is None and not stop_requested() and time.monotonic() - last_growth < wait_seconds:
        time.sleep(_POLL_SECONDS)
        new_size = _size(path)
        size, last_growth = (new_size, time.monotonic()) if new_size != size else (size, last_growth)
        handle = _try_lock(lock)
    return handle


def _try_lock(lock: Path) -> int | None:
    """Returns a handle of the lock, or None if another process has it."""
    handle = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(handle).st_ino == lock.stat().st_ino:
            return handle
        raise FileNotFoundError(errno.ENOENT, "the previous holder removed it")
    except OSError as error:
        os.close(handle)
        if error.errno not in (errno.EACCES, errno.EAGAIN, errno.ENOENT):
            raise  # the file system does not support locks
    return None


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else -1
