"""Downloads to a file over unreliable connections: resumes, retries, and limits the size.

This is the part that HTTP and S3 share. A Remote opens the bytes from an offset; this module decides whether to
continue, start again or give up. An attempt that received new bytes resets the count of failures. A state file beside
the download holds the version of the bytes, so that a later run can resume too.
"""

from __future__ import annotations

import json
import logging
import shutil
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Protocol

from errors import DataError, DownloadFailedError
from progress import ProgressLog

_CHUNK_SIZE = 1 << 18


class DownloadInterrupted(Exception):  # noqa: N818 - what happened, not an error of anybody
    """The transfer stopped; a retry may succeed."""


class RemoteChanged(DownloadInterrupted):
    """The remote file changed, so that the download must start again from the first byte."""


@dataclass(frozen=True)
class DownloadRetries:
    """The time-out of a request, the number of attempts, and the delay between them."""

    timeout_seconds: float = 30.0
    max_attempts: int = 6
    first_backoff_seconds: float = 1.0
    max_backoff_seconds: float = 30.0

    def backoff(self, failures: int) -> float:
        """Returns the seconds to wait before the next attempt."""
        return min(self.max_backoff_seconds, self.first_backoff_seconds * 2.0 ** (failures - 1))


@dataclass(frozen=True)
class RemoteStream:
    """A stream of bytes: its offset, the total size, and a tag that identifies the version."""

    read: Callable[[int], bytes]
    start: int
    total: int | None
    version: str


class Remote(Protocol):
    """A file that can be downloaded."""

    name: str

    def open(self, offset: int, version: str) -> AbstractContextManager[RemoteStream]:
        """Opens the bytes from an offset; raises DownloadInterrupted if a retry may help, else DataError."""


@dataclass
class _DownloadState:
    """How much was received, of which version, and the file that this is saved in, if any."""

    state_file: Path | None
    received: int = 0
    total: int | None = None
    version: str = ""
    furthest: int = field(init=False)

    def __post_init__(self) -> None:
        self.furthest = self.received

    def restart(self) -> None:
        self.received, self.total, self.version = 0, None, ""

    def accept(self, stream: RemoteStream) -> None:
        """Continues with a stream; the file must hold no bytes of another version."""
        if not stream.start:
            self.version = stream.version
        self.received, self.total = stream.start, stream.total
        if self.state_file and self.version and self.total:
            self.state_file.write_text(json.dumps({"version": self.version, "total": self.total}), encoding="utf-8")
        elif self.state_file:
            self.state_file.unlink(missing_ok=True)


def download(
    remote: Remote,
    path: Path,
    max_bytes: int,
    retry: DownloadRetries,
    progress: ProgressLog,
    state_file: Path | None = None,
) -> None:
    """Downloads a remote to a file. With a state file, it resumes what an earlier run received."""
    state, failures = _load_state(path, state_file) if state_file else _DownloadState(state_file), 0
    if state.received:
        logging.info("%s: resumes after %.1f MB from an earlier run", remote.name, state.received / 1e6)
    with path.open("r+b" if state.received else "w+b") as file:
        while True:
            furthest_before = state.furthest
            try:
                _receive(remote, file, state, max_bytes, progress)
                return
            except DownloadInterrupted as error:
                failures = 1 if state.furthest > furthest_before else failures + 1
                if failures >= retry.max_attempts:
                    raise DownloadFailedError(f"{remote.name}: {error}, {failures} times", "try again later") from None
                seconds = retry.backoff(failures)
                logging.info("%s: %s; next try in %g s", remote.name, error, seconds)
                if isinstance(error, RemoteChanged):
                    state.restart()
                time.sleep(seconds)


def _load_state(path: Path, state_file: Path) -> _DownloadState:
    """Returns what an earlier run received; an unreadable state file counts as none."""
    try:
        saved_state = json.loads(state_file.read_text(encoding="utf-8"))
        version, total, size = str(saved_state["version"]), int(saved_state["total"]), path.stat().st_size
    except (OSError, ValueError, KeyError, TypeError):
        return _DownloadState(state_file)
    # At least one byte is requested, so that the server says whether it still has that version.
    return (
        _DownloadState(state_file, max(0, min(size, total - 1)), total, version)
        if version
        else _DownloadState(state_file)
    )


def check_size(name: str, size: int, max_bytes: int, folder: Path, already_received: int = 0) -> None:
    """Raises DataError if the size exceeds the limit, or if the disk has no room for what is still missing."""
    if size > max_bytes:
        raise DataError(f"{name} has more than {max_bytes / 1e9:g} GB", "raise --most-gigabytes if this is expected")
    free = shutil.disk_usage(folder).free
    if size - already_received > free:
        raise DataError(f"{name} has {size / 1e9:.1f} GB and the disk {free / 1e9:.1f} GB left", "give it a larger one")


def _receive(remote: Remote, file: BinaryIO, state: _DownloadState, max_bytes: int, progress: ProgressLog) -> None:
    with remote.open(state.received, state.version) as stream:
        if stream.start and not _continues(stream, state):
            raise RemoteChanged("answered with a different range than requested")
        check_size(remote.name, stream.total or 0, max_bytes, Path(file.name).parent, already_received=stream.start)
        file.seek(stream.start)
        file.truncate()
        state.accept(stream)
        while chunk := stream.read(_CHUNK_SIZE):
            state.received += len(chunk)
            state.furthest = max(state.furthest, state.received)
            if state.received > max_bytes:
                check_size(remote.name, state.received, max_bytes, Path(file.name).parent)
            file.write(chunk)
            progress.update(state.received, state.total)
    if state.total is not None and state.received != state.total:
        raise DownloadInterrupted(f"broke off after {state.received} of {state.total} bytes")


def _continues(stream: RemoteStream, state: _DownloadState) -> bool:
    # A partial response may omit the version that was requested.
    is_same_version = stream.version in ("", state.version)
    return is_same_version and stream.start == state.received and stream.total == state.total
