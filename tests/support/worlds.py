"""Worlds for tests: a store on the disk, a clock that the test sets, objects in a dictionary."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from pedigree.localaws.kernel.store import Store
from pedigree.localaws.kernel.world import World

ACCOUNT = "000000000000"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/pipeline"


class ManualClock:
    """A clock that the test sets; each reading moves it by a millisecond."""

    def __init__(self) -> None:
        self.moment = dt.datetime(2026, 1, 1, tzinfo=dt.timezone.utc)

    def now(self) -> dt.datetime:
        self.moment += dt.timedelta(milliseconds=1)
        return self.moment

    def monotonic(self) -> float:
        return self.moment.timestamp()

    def sleep(self, seconds: float) -> None:
        self.moment += dt.timedelta(seconds=seconds)


class MemoryObjects:
    """Objects in a dictionary, by URI."""

    def __init__(self) -> None:
        self.contents: dict[str, bytes] = {}

    def read(self, uri: str) -> bytes:
        return self.contents[uri]


def world(folder: Path, clock: ManualClock | None = None, objects: MemoryObjects | None = None) -> World:
    """Return a world in a folder; a second one in the same folder has the state of the first."""
    store = Store(folder / "state.sqlite")
    return World(ACCOUNT, "us-east-1", folder, store, objects or MemoryObjects(), clock or ManualClock())
