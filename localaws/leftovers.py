"""What a killed daemon leaves behind: processes that nobody looks after any more.

Every process that a daemon starts, for a job, a model or a function, has the daemon's folder in its environment, and
is the leader of a session. So what is left of it is found without having been written down, however suddenly the
daemon ended: whoever has the mark, and whoever is in the session of one that has it.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from localaws.jobs.processes import end_process

_NAME = "PEDIGREE_LOCAL_AWS"
_PATIENCE_SECONDS = 5.0
_LOOK_SECONDS = 0.01
_PROC = Path("/proc")


@dataclass(frozen=True)
class _Process:
    id: int
    session: int
    is_marked: bool


def mark(folder: Path) -> Mapping[str, str]:
    """The variable that tells whose process one is."""
    return {_NAME: str(folder.resolve())}


def end(folder: Path) -> int:
    """End what an earlier daemon of a folder has left; how many processes. Only for who holds the folder."""
    ended: set[int] = set()
    until = time.monotonic() + _PATIENCE_SECONDS
    # One that is just being started by another may be seen only the next time.
    while (left := _left(folder)) and time.monotonic() < until:
        for process in left:
            end_process(process)
        ended.update(left)
        time.sleep(_LOOK_SECONDS)
    return len(ended)


def _left(folder: Path) -> list[int]:
    """Leaders of sessions first: a script must not go on because what it waits for was ended."""
    ours = os.getpid(), os.getppid()
    processes = [one for one in _processes(folder) if one.id not in ours]
    sessions = {one.session for one in processes if one.is_marked} - {os.getsid(0)}
    left = {one.id for one in processes if one.is_marked or one.session in sessions}
    return sorted(left, key=lambda process: process not in sessions)


def _processes(folder: Path) -> Iterator[_Process]:
    """The processes of this user that have not ended."""
    variable = f"{_NAME}={folder.resolve()}"
    if not _PROC.is_dir():
        yield from _told_by_ps(variable)
        return
    for place in _PROC.iterdir():
        if place.name.isdecimal():
            try:
                marked = f"{variable}\0".encode() in (place / "environ").read_bytes()
                state, _, _, session = (place / "stat").read_text(errors="replace").rpartition(")")[2].split()[:4]
            except OSError:
                continue  # somebody else's, or it has just ended
            if state != "Z":
                yield _Process(int(place.name), int(session), marked)


def _told_by_ps(variable: str) -> Iterator[_Process]:
    """The same where there is no /proc; a leader's group stands for its session."""
    command = ["/bin/ps", "-xwwE", "-o", "pid=,pgid=,command="]
    told = subprocess.run(command, capture_output=True, text=True, check=False).stdout  # noqa: S603  # no words of others
    for line in told.splitlines():
        process, group, rest = line.split(None, 2)
        yield _Process(int(process), int(group), f" {variable} " in f"{rest} ")
