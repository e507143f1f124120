"""Bytes from afar into a file, on connections that break: taken up where they broke, tried again, bounded in size.

What HTTP and S3 have in common. Each brings a Remote that opens the bytes from an offset on; here it is decided
whether to go on, to begin anew or to give up. A try that brought a byte further than any before it costs nothing.
"""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from errors import DataError
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
    """What has come so far."""

    received: int = 0
    furthest: int = 0
    total: int | None = None
    version: str = ""

    def begin_anew(self) -> None:
        self.received, self.total, self.version = 0, None, ""


def download(remote: Remote, path: Path, most_bytes: int, patience: Patience, progress: Progress) -> None:
    """Everything of a remote into a file."""
    part, failures = _Part(), 0
    with path.open("w+b") as file:
        while True:
            before = part.furthest
            try:
                _continue(remote, file, part, most_bytes, progress)
                return
            except Interrupted as interruption:
                failures = 1 if part.furthest > before else failures + 1
                if failures >= patience.tries:
                    raise DataError(f"{remote.name}: {interruption}, {failures} times; try again later") from None
                seconds = patience.wait(failures)
                logging.info("%s: %s; next try in %g s", remote.name, interruption, seconds)
                if isinstance(interruption, Changed):
                    part.begin_anew()
                time.sleep(seconds)


def check_size(name: str, size: int, most_bytes: int, folder: Path) -> None:
    """Whether so many bytes are allowed, and whether there is room for them."""
    if size > most_bytes:
        raise DataError(f"{name} has more than {most_bytes / 1e9:g} GB; raise --most-gigabytes if that is right")
    free = shutil.disk_usage(folder).free
    if size > free:
        raise DataError(f"{name} has {size / 1e9:.1f} GB and the disk {free / 1e9:.1f} GB left; give it a larger one")


def _continue(remote: Remote, file: BinaryIO, part: _Part, most_bytes: int, progress: Progress) -> None:
    with remote.open(part.received, part.version) as answer:
        if answer.start not in (0, part.received) or (answer.start and answer.total != part.total):
            raise Changed("answered with other bytes than it was asked for")
        part.received, part.total, part.version = answer.start, answer.total, answer.version
        check_size(remote.name, answer.total or 0, most_bytes, Path(file.name).parent)
        file.seek(part.received)
        file.truncate()
        while piece := answer.read(_PIECE):
            part.received += len(piece)
            part.furthest = max(part.furthest, part.received)
            if part.received > most_bytes:
                check_size(remote.name, part.received, most_bytes, Path(file.name).parent)
            file.write(piece)
            progress.at(part.received, part.total)
    if part.total is not None and part.received != part.total:
        raise Interrupted(f"broke off after {part.received} of {part.total} bytes")
