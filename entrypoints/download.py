"""Bytes from afar into a file, on connections that break: taken up where they broke, tried again, bounded in size.

What HTTP and S3 have in common. Each brings a Remote that opens the bytes from an offset on; here it is decided
whether to go on, to begin anew or to give up. A try that brought a byte further than any before it costs nothing.
A note beside the file says which version its bytes are of, so that another run can go on from there as well.
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

from errors import DataError, GivenUpError
from progress import Progress

_PIECE = 1 << 18


class Interrupted(Exception):  # noqa: N818 - what happened, not an error of anybody
    """The bytes stopped coming, and may come when asked for again."""


class Changed(Interrupted):
    """What was begun cannot be continued: it has to come whole, from the first byte."""


@dataclass(frozen=True)
class Patience:
    """How long to wait for an answer, and how often to ask again."""

    timeout_seconds: float = 30.0
    tries: int = 6
    first_wait_seconds: float = 1.0
    longest_wait_seconds: float = 30.0

    def wait(self, failures: int) -> float:
        """Seconds before the next try."""
        return min(self.longest_wait_seconds, self.first_wait_seconds * 2.0 ** (failures - 1))


@dataclass(frozen=True)
class Answer:
    """Bytes that come, from where on, how many there are in all, and what tells one version from another."""

    read: Callable[[int], bytes]
    start: int
    total: int | None
    version: str


class Remote(Protocol):
    """Something that can be downloaded."""

    name: str

    def open(self, offset: int, version: str) -> AbstractContextManager[Answer]:
        """The bytes from an offset on, of that version; Interrupted when it may work later, DataError when not."""


@dataclass
class _Part:
    """What has come so far, and where that is noted, if it is."""

    note: Path | None
    received: int = 0
    total: int | None = None
    version: str = ""
    furthest: int = field(init=False)

    def __post_init__(self) -> None:
        self.furthest = self.received

    def begin_anew(self) -> None:
        self.received, self.total, self.version = 0, None, ""

    def answered(self, answer: Answer) -> None:
        """Take an answer as what the file has from now on; the file has no byte of another version by then."""
        if not answer.start:
            self.version = answer.version
        self.received, self.total = answer.start, answer.total
        if self.note and self.version and self.total:
            self.note.write_text(json.dumps({"version": self.version, "total": self.total}), encoding="utf-8")
        elif self.note:
            self.note.unlink(missing_ok=True)


def download(
    remote: Remote, path: Path, most_bytes: int, patience: Patience, progress: Progress, note: Path | None = None
) -> None:
    """Everything of a remote into a file, which may have a part of it already if there is a note of that."""
    part, failures = _noted(path, note) if note else _Part(note), 0
    if part.received:
        logging.info("%s: goes on after %.1f MB that an earlier run fetched", remote.name, part.received / 1e6)
    with path.open("r+b" if part.received else "w+b") as file:
        while True:
            before = part.furthest
            try:
                _continue(remote, file, part, most_bytes, progress)
                return
            except Interrupted as interruption:
                failures = 1 if part.furthest > before else failures + 1
                if failures >= patience.tries:
                    raise GivenUpError(f"{remote.name}: {interruption}, {failures} times; try again later") from None
                seconds = patience.wait(failures)
                logging.info("%s: %s; next try in %g s", remote.name, interruption, seconds)
                if isinstance(interruption, Changed):
                    part.begin_anew()
                time.sleep(seconds)


def _noted(path: Path, note: Path) -> _Part:
    """What an earlier run has left in the place of the file; a note that cannot be read is none."""
    try:
        noted = json.loads(note.read_text(encoding="utf-8"))
        version, total, size = str(noted["version"]), int(noted["total"]), path.stat().st_size
    except (OSError, ValueError, KeyError, TypeError):
        return _Part(note)
    # One byte at least is asked for, so that the server says whether it still has that version.
    return _Part(note, max(0, min(size, total - 1)), total, version) if version else _Part(note)


def check_size(name: str, size: int, most_bytes: int, folder: Path, here: int = 0) -> None:
    """Whether so many bytes are allowed, and whether there is room for those that are not here yet."""
    if size > most_bytes:
        raise DataError(f"{name} has more than {most_bytes / 1e9:g} GB; raise --most-gigabytes if that is right")
    free = shutil.disk_usage(folder).free
    if size - here > free:
        raise DataError(f"{name} has {size / 1e9:.1f} GB and the disk {free / 1e9:.1f} GB left; give it a larger one")


def _continue(remote: Remote, file: BinaryIO, part: _Part, most_bytes: int, progress: Progress) -> None:
    with remote.open(part.received, part.version) as answer:
        if answer.start and not _goes_on(answer, part):
            raise Changed("answered with other bytes than it was asked for")
        check_size(remote.name, answer.total or 0, most_bytes, Path(file.name).parent, here=answer.start)
        file.seek(answer.start)
        file.truncate()
        part.answered(answer)
        while piece := answer.read(_PIECE):
            part.received += len(piece)
            part.furthest = max(part.furthest, part.received)
            if part.received > most_bytes:
                check_size(remote.name, part.received, most_bytes, Path(file.name).parent)
            file.write(piece)
            progress.at(part.received, part.total)
    if part.total is not None and part.received != part.total:
        raise Interrupted(f"broke off after {part.received} of {part.total} bytes")


def _goes_on(answer: Answer, part: _Part) -> bool:
    # A part of a file need not say again of which version it is, when that was asked for.
    same = answer.version in ("", part.version)
    return same and answer.start == part.received and answer.total == part.total
