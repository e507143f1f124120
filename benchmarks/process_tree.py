"""The processor time of all processes below this one, sampled while they run; Linux only.

A parent counts the children that it has waited for, so the sum over all that exist has everything that ended in order.
Processes whose parent ended become children of this one and stay to be read. What a parent never counts (it ignores
how its children end) is known by each process as it was last seen. Both sums have each second at most once, so the
greater one is nearer to the truth.
"""

from __future__ import annotations

import ctypes
import os
import threading
import time
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_PROCESSES = Path("/proc")
_SAMPLE_SECONDS = 0.25
_TICKS = os.sysconf("SC_CLK_TCK")
_SET_CHILD_SUBREAPER, _GET_CHILD_SUBREAPER = 36, 37


@dataclass(frozen=True)
class _Status:
    """A process: its start sets it apart from earlier ones of its number. Its seconds, and its ended children's."""

    parent: int
    start: int
    own: float
    children: float


class ProcessorTime:
    """Samples of the processor time that all descendants of this process have taken, also those that ended."""

    def __init__(self) -> None:
        self._own: dict[tuple[int, int], float] = {}
        self._before: tuple[float, float] | None = None
        self.moments: list[float] = []
        self.seconds: list[float] = []

    def sample(self) -> None:
        """Take a sample; the sum never falls."""
        ended = os.times()  # before the others: a parent before its children
        seen = dict(_descendants(os.getpid()))
        counted = ended.children_user + ended.children_system
        counted += sum(status.own + status.children for status in seen.values())
        self._own.update({(number, status.start): status.own for number, status in seen.items()})
        sums = counted, sum(self._own.values())
        if self._before is None:
            self._before = sums
        most = max(now - before for now, before in zip(sums, self._before, strict=True))
        self.moments.append(time.time())
        self.seconds.append(max([most, *self.seconds[-1:]]))

    def between(self, begin: float, end: float) -> float:
        """The processor time between two moments."""
        return self._until(end) - self._until(begin)

    def _until(self, moment: float) -> float:
        """The seconds at a moment; between two samples they grow evenly."""
        after = bisect_left(self.moments, moment)
        if after == 0 or after == len(self.moments):
            return self.seconds[max(after - 1, 0)] if self.seconds else 0.0
        (before_at, after_at), (before, later) = (
            self.moments[after - 1 : after + 1],
            self.seconds[after - 1 : after + 1],
        )
        return before + (later - before) * (moment - before_at) / (after_at - before_at)


@contextmanager
def sampling() -> Iterator[ProcessorTime]:
    """Sample when the block begins, until it ends, and then."""
    times, is_over = ProcessorTime(), threading.Event()

    def sample() -> None:
        while not is_over.wait(_SAMPLE_SECONDS):
            times.sample()

    thread = threading.Thread(target=sample, daemon=True)
    with _adopting():
        times.sample()
        thread.start()
        try:
            yield times
        finally:
            is_over.set()
            thread.join()
            times.sample()


@contextmanager
def _adopting() -> Iterator[None]:
    """Let processes without a parent become children of this one, which nothing waits for, instead of the system's."""
    libc, was_adopting = ctypes.CDLL(None), ctypes.c_int()
    libc.prctl(_GET_CHILD_SUBREAPER, ctypes.byref(was_adopting), 0, 0, 0)
    libc.prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    try:
        yield
    finally:
        libc.prctl(_SET_CHILD_SUBREAPER, was_adopting.value, 0, 0, 0)


def _descendants(root: int) -> Iterator[tuple[int, _Status]]:
    """All processes below the root, a parent before its children.

    A child that ends in between is missing from this sample; the other way around it would be in it twice.
    """
    children: dict[int, list[int]] = {}
    for path in _PROCESSES.glob("[0-9]*"):
        number = int(path.name)
        if (found := _status(number)) is not None:
            children.setdefault(found.parent, []).append(number)
    waiting = children.pop(root, [])
    while waiting:
        number = waiting.pop()
        if (found := _status(number)) is not None:
            yield number, found
        waiting += children.pop(number, [])


def _status(process: int) -> _Status | None:
    """What the system knows of a process; None if it has just ended."""
    try:
        text = (_PROCESSES / str(process) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = [int(field) for field in text.rpartition(")")[2].split()[1:20]]
    own, children = (sum(fields[first : first + 2]) / _TICKS for first in (10, 12))
    return _Status(fields[0], fields[18], own, children)
