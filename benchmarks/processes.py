"""Measures whole processes from outside, in turn, so that a slower machine slows all of them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import IO

_PER_MEGABYTE = 1024 * 1024 if sys.platform == "darwin" else 1024  # a Mac counts bytes, Linux kilobytes

_TIMES = Path("/proc/stat")


@dataclass(frozen=True)
class Run:
    """One process: its time, its peak memory, and the load of the machine by others."""

    seconds: float
    megabytes: float
    others: float
    """The part of the processors' time that other processes took; more than a little, and the figures are theirs."""


@dataclass(frozen=True)
class Measured:
    """Several runs of one command."""

    runs: Sequence[Run]

    @property
    def seconds(self) -> float:
        """The median of the wall times."""
        return median(run.seconds for run in self.runs)

    @property
    def megabytes(self) -> float:
        """The median of the peaks."""
        return median(run.megabytes for run in self.runs)


def measure(commands: Mapping[str, Sequence[str]], rounds: int) -> dict[str, Measured]:
    """Runs every command in turn, for so many rounds after one that does not count."""
    runs: dict[str, list[Run]] = {name: [] for name in commands}
    for counted in [False] + [True] * rounds:
        for name, command in commands.items():
            measured = run(command)
            if counted:
                runs[name].append(measured)
    return {name: Measured(those) for name, those in runs.items()}


def run(command: Sequence[str], output: int | IO[str] = subprocess.DEVNULL) -> Run:
    """Runs one process; its output goes to a file, or nowhere."""
    busy, passed = _processors()
    started = time.perf_counter()
    with subprocess.Popen(command, stdout=output, stderr=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    busy, passed = (after - before for after, before in zip(_processors(), (busy, passed), strict=True))
    others = (busy - usage.ru_utime - usage.ru_stime) / passed if passed else 0.0
    return Run(seconds, usage.ru_maxrss / _PER_MEGABYTE, max(0.0, others))


def _processors() -> tuple[float, float]:
    """Returns the busy seconds of all processors and the seconds that passed for them since the start."""
    if not _TIMES.exists():
        return 0.0, 0.0  # no Linux, so no counters
    times = [int(text) / os.sysconf("SC_CLK_TCK") for text in _TIMES.read_text(encoding="ascii").split(maxsplit=9)[1:9]]
    # The fourth and fifth are nothing to do, and waiting for a disk.
    return sum(times) - times[3] - times[4], sum(times)
