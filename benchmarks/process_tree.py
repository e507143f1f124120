"""The processor time of a process and of all its descendants, sampled while they run; Linux only."""

from __future__ import annotations

import os
import threading
import time
from bisect import bisect_left
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

_PROCESSES = Path("/proc")
_SAMPLE_SECONDS = 0.25
_TICKS = os.sysconf("SC_CLK_TCK")


class ProcessorTime:
    """Samples of the processor time that the roots and all their descendants have taken, also those that ended."""

    def __init__(self, roots: Callable[[], set[int]]) -> None:
        self._roots = roots
        self.moments: list[float] = []
        self.seconds: list[float] = []

    def sample(self) -> None:
        """Takes a sample; the sum never falls, although a process may end without being counted by its parent."""
        seconds = sum(_tree_seconds(self._roots()))
        self.moments.append(time.time())
        self.seconds.append(max([seconds, *self.seconds[-1:]]))

    def between(self, begin: float, end: float) -> float:
        """The processor time between two moments."""
        return self._until(end) - self._until(begin)

    def _until(self, moment: float) -> float:
        if not self.seconds:
            return 0.0
        return self.seconds[min(bisect_left(self.moments, moment), len(self.seconds) - 1)]


@contextmanager
def sampling(roots: Callable[[], set[int]]) -> Iterator[ProcessorTime]:
    """Samples until the block ends."""
    times, is_over = ProcessorTime(roots), threading.Event()

    def sample() -> None:
        while not is_over.wait(_SAMPLE_SECONDS):
            times.sample()

    thread = threading.Thread(target=sample, daemon=True)
    thread.start()
    try:
        yield times
    finally:
        is_over.set()
        thread.join()


def _tree_seconds(roots: set[int]) -> Iterator[float]:
    """The seconds of each process, with those of its children that it has waited for."""
    parents, seconds = {}, {}
    for path in _PROCESSES.glob("[0-9]*/stat"):
        try:
            fields = path.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except OSError:
            continue  # it has just ended
        pid = int(path.parent.name)
        parents[pid] = int(fields[1])
        seconds[pid] = sum(map(int, fields[11:15])) / _TICKS
    for pid in seconds:
        if _is_below(pid, roots, parents):
            yield seconds[pid]


def _is_below(pid: int, roots: set[int], parents: dict[int, int]) -> bool:
    while pid not in roots and pid in parents:
        pid = parents[pid]
    return pid in roots
