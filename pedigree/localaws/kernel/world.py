"""What every part of the local AWS is handed: where it is, what it remembers, what time it is, and who hears of events.

The daemon makes one World and nothing else does, so that a test can make one of its own, with a clock of its own.
"""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from pedigree.localaws.kernel.store import Store

Event: TypeAlias = Mapping[str, Any]
Listener: TypeAlias = Callable[[Event], None]


class Clock(Protocol):
    """The time, and how to let it pass."""

    def now(self) -> dt.datetime:
        """The present moment, with its zone."""
        ...

    def monotonic(self) -> float:
        """Seconds that never run backwards."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> dt.datetime:
        """The present moment, in UTC."""
        return dt.datetime.now(dt.timezone.utc)

    def monotonic(self) -> float:
        """Seconds since some fixed moment."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait, for real."""
        time.sleep(seconds)


class Signal:
    """That something has changed: each thread that waits for it looks again, whoever else was told."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._changes = 0
        self._seen = threading.local()

    def wake(self) -> None:
        """Say that something has changed."""
        with self._condition:
            self._changes += 1
            self._condition.notify_all()

    def wait(self, seconds: float) -> None:
        """Wait until something has changed since this thread's last wait, or so long."""
        seen = getattr(self._seen, "changes", 0)
        with self._condition:
            self._condition.wait_for(lambda: self._changes != seen, seconds)
            self._seen.changes = self._changes


class Objects(Protocol):
    """What lies in S3."""

    def read(self, uri: str) -> bytes:
        """The content of an object by its s3:// address; KeyError if there is none."""
        ...


class Logs(Protocol):
    """Where what processes write is kept, by group and stream."""

    def write(self, group: str, stream: str, *lines: str) -> None:
        """Keep lines."""
        ...


class Bus:
    """Events, told to whoever listens, in the order in which they happen."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []

    def listen(self, listener: Listener) -> None:
        """Hear of every event from now on."""
        self._listeners.append(listener)

    def emit(self, event: Event) -> None:
        """Tell an event to all who listen."""
        for listener in tuple(self._listeners):
            listener(event)


@dataclass(frozen=True)
class World:
    """One local AWS: an account in a region, on this machine."""

    account: str
    region: str
    folder: Path
    store: Store
    objects: Objects
    clock: Clock = field(default_factory=SystemClock)
    bus: Bus = field(default_factory=Bus)
    signal: Signal = field(default_factory=Signal)

    def arn(self, service: str, resource: str) -> str:
        """The ARN of a resource of this account and region."""
        return f"arn:aws:{service}:{self.region}:{self.account}:{resource}"

    def now(self) -> str:
        """The present moment, as documents keep it."""
        return self.clock.now().isoformat(timespec="milliseconds")
