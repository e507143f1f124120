"""Finds and kills orphan processes: those that a killed daemon, a job or a model server has left behind.

Every process that a daemon starts has a marker in its environment, the daemon's folder, and leads a session. So
orphans are found without any record, however suddenly the daemon ended: all processes with the marker, and all in the
sessions of those. Each job and each model server has a marker of its own as well.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_DAEMON_VARIABLE = "PEDIGREE_LOCAL_AWS"
_PART_VARIABLE = "PEDIGREE_LOCAL_AWS_PART"
_MAX_SECONDS = 5.0
_POLL_SECONDS = 0.01
_PROC = Path("/proc")


@dataclass(frozen=True)
class _Process:
    id: int
    session: int
    is_marked: bool


def daemon_marker(folder: Path) -> Mapping[str, str]:
    """Return the variable that marks all processes of the daemon in a folder."""
    return {_DAEMON_VARIABLE: str(folder.resolve())}


def unique_marker() -> Mapping[str, str]:
    """Return a variable that marks the processes of one job or server among those of the same daemon."""
    return {_PART_VARIABLE: str(uuid.uuid4())}


def kill_orphans(folder: Path) -> int:
    """Kill what an earlier daemon of a folder has left, and return how many. The caller must hold the folder's lock."""
    return kill_marked(daemon_marker(folder))


def kill_process(process: int) -> None:
    """Kill a process, if it still exists."""
    try:
        os.kill(process, signal.SIGKILL)
    except ProcessLookupError:
        return


def has_ended(process: int) -> bool:
    """Return whether a process has ended, even if its parent has not waited for it yet."""
    with suppress(ChildProcessError):
        os.waitpid(process, os.WNOHANG)  # ours, if it is a child
    try:
        os.kill(process, 0)
    except (ProcessLookupError, PermissionError):  # the number may belong to another user's process by now
        return True
    return _state(process) == "Z"


def _state(process: int) -> str:
    """The letter of a process's state; nothing if it has just ended."""
    if _PROC.is_dir():
        return b"".join(_proc_file(process, "stat").rpartition(b")")[2].split()[:1]).decode()
    command = ["/bin/ps", "-o", "state=", "-p", str(process)]
    output = subprocess.run(command, capture_output=True, text=True, check=False).stdout  # noqa: S603  # fixed words only
    return output.strip()[:1]


def kill_marked(marker: Mapping[str, str]) -> int:
    """Kill all processes with a marker and all in their sessions, and return how many."""
    ((name, value),) = marker.items()
    variable = f"{name}={value}"
    killed: set[int] = set()
    until = time.monotonic() + _MAX_SECONDS
    # A process that another one is just starting may appear only in the next listing.
    while (orphans := _orphans(variable)) and time.monotonic() < until:
        for process in orphans:
            kill_process(process)
        killed.update(orphans)
        time.sleep(_POLL_SECONDS)
    return len(killed)


def _orphans(variable: str) -> list[int]:
    """Session leaders come first, so that no script continues because a command that it waits for was killed."""
    ours = os.getpid(), os.getppid()
    processes = [process for process in _processes(variable) if process.id not in ours]
    sessions = {process.session for process in processes if process.is_marked} - {os.getsid(0)}
    orphans = {process.id for process in processes if process.is_marked or process.session in sessions}
    return sorted(orphans, key=lambda process: process not in sessions)


def _processes(variable: str) -> Iterator[_Process]:
    """List the running processes of this user."""
    if not _PROC.is_dir():
        yield from _processes_by_ps(variable)
        return
    processes = [int(entry.name) for entry in _PROC.iterdir() if entry.name.isdecimal()]
    marked = {process for process in processes if f"{variable}\0".encode() in _proc_file(process, "environ")}
    for process in processes if marked else ():  # where none is marked, none is in the session of a marked one
        fields = _proc_file(process, "stat").rpartition(b")")[2].split()
        if fields and fields[0] != b"Z":
            yield _Process(process, int(fields[3]), process in marked)


def _proc_file(process: int, name: str) -> bytes:
    """The content of a file about a process; nothing if it belongs to another user, or has just ended."""
    try:
        with open(f"{_PROC}/{process}/{name}", "rb", buffering=0) as file:  # noqa: PTH123  # a job waits for this
            return file.readall()
    except OSError:
        return b""


def _processes_by_ps(variable: str) -> Iterator[_Process]:
    """List the same where /proc does not exist; the process group stands for the session."""
    command = ["/bin/ps", "-xwwE", "-o", "pid=,pgid=,command="]
    output = subprocess.run(command, capture_output=True, text=True, check=False).stdout  # noqa: S603  # fixed words only
    for line in output.splitlines():
        process, group, rest = line.split(None, 2)
        yield _Process(int(process), int(group), f" {variable} " in f"{rest} ")
