"""What a killed daemon leaves behind: processes that nobody looks after any more.

Every process that a daemon starts, for a job, a model or a function, has the daemon's folder in its environment, and
is the leader of a session. So what is left of it is found without having been written down, however suddenly the
daemon ended: whoever has the mark, and whoever is in the session of one that has it. In the same way each job, and
each model server, has a mark of its own, by which what it has started is found when it ends.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

_NAME = "PEDIGREE_LOCAL_AWS"
_OWN = "PEDIGREE_LOCAL_AWS_PART"
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


def own_mark() -> Mapping[str, str]:
    """A variable that tells whose process one is among those of the same daemon."""
    return {_OWN: str(uuid.uuid4())}


def end(folder: Path) -> int:
    """End what an earlier daemon of a folder has left; how many processes. Only for who holds the folder."""
    return end_marked(mark(folder))


def end_process(process: int) -> None:
    """End a process at once, if there still is one."""
    try:
        os.kill(process, signal.SIGKILL)
    except ProcessLookupError:
        return


def end_marked(marked: Mapping[str, str]) -> int:
    """End whoever has a mark, and what has it in its session; how many processes."""
    ((name, value),) = marked.items()
    variable = f"{name}={value}"
    ended: set[int] = set()
    until = time.monotonic() + _PATIENCE_SECONDS
    # One that is just being started by another may be seen only the next time.
    while (left := _left(variable)) and time.monotonic() < until:
        for process in left:
            end_process(process)
        ended.update(left)
        time.sleep(_LOOK_SECONDS)
    return len(ended)


def _left(variable: str) -> list[int]:
    """Leaders of sessions first: a script must not go on because what it waits for was ended."""
    ours = os.getpid(), os.getppid()
    processes = [one for one in _processes(variable) if one.id not in ours]
    sessions = {one.session for one in processes if one.is_marked} - {os.getsid(0)}
    left = {one.id for one in processes if one.is_marked or one.session in sessions}
    return sorted(left, key=lambda process: process not in sessions)


def _processes(variable: str) -> Iterator[_Process]:
    """The processes of this user that have not ended."""
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
