"""The processes of a job's hosts: started together, heard line by line, ended together.

Each host is a process group of its own, so that what it starts ends with it. If one host fails the others are ended,
as the service does.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from pedigree.localaws.kernel import orphans
from pedigree.localaws.kernel.output_reader import Listener

Hear: TypeAlias = Callable[[str, str], None]
"""Told a host and a line that it wrote."""
GRACE_SECONDS = 120.0
_LOOK_SECONDS = 0.05


@dataclass(frozen=True)
class Host:
    """What one host runs, where, and with which environment."""

    name: str
    command: Sequence[str]
    folder: Path
    environment: Mapping[str, str]


@dataclass(frozen=True)
class Outcome:
    """How the hosts ended: the exit code of the first that failed; whether they were stopped, or ran too long."""

    exit_code: int
    is_stopped: bool = False
    is_too_long: bool = False


class Running:
    """The processes of a job."""

    def __init__(self, hosts: Sequence[Host], hear: Hear) -> None:
        self._mark = orphans.own_mark()
        self._stop_asked, self._changed = threading.Event(), threading.Event()
        try:
            self._processes = [_start(host, self._mark) for host in hosts]
        except OSError:
            orphans.end_marked(self._mark)
            raise
        self._listeners = [
            self._heard(host.name, process, hear) for host, process in zip(hosts, self._processes, strict=True)
        ]

    @property
    def groups(self) -> list[int]:
        """The process groups, by the id of their leaders."""
        return [process.pid for process in self._processes]

    def stop(self) -> None:
        """Ask all to end, in their own time."""
        self._stop_asked.set()
        self._changed.set()

    def wait(self, seconds: float, grace: float = GRACE_SECONDS) -> Outcome:
        """Wait for the end, which comes after so many seconds at the latest, and a grace."""
        deadline, is_too_long = time.monotonic() + seconds, False
        while None in [process.poll() for process in self._processes]:
            is_too_long = time.monotonic() >= deadline
            failed = any(process.returncode not in (None, 0) for process in self._processes)
            if self._stop_asked.is_set() or is_too_long or failed:
                self._end(grace)
                break
            self._changed.wait(_LOOK_SECONDS)
            self._changed.clear()
        # A container ends with its first process: what that one has left behind ends, too, and with it the output.
        self._signal(signal.SIGKILL)
        orphans.end_marked(self._mark)
        for listener in self._listeners:
            listener.finish()
        codes = [process.wait() for process in self._processes]
        return Outcome(next((code for code in codes if code), 0), self._stop_asked.is_set(), is_too_long)

    def _heard(self, host: str, process: subprocess.Popen[bytes], hear: Hear) -> Listener:
        """Hear a process to its end, and say at once that it has come: nobody waits for the next look."""
        assert process.stdout is not None

        def ended() -> None:
            process.wait()
            self._changed.set()

        return Listener(process.stdout, lambda line: hear(host, line), ended)

    def _end(self, grace: float) -> None:
        """SIGTERM to every group, and a grace; what is left of them after it is killed."""
        self._signal(signal.SIGTERM)
        until = time.monotonic() + grace
        while time.monotonic() < until and any(process.poll() is None for process in self._processes):
            time.sleep(_LOOK_SECONDS)

    def _signal(self, number: signal.Signals) -> None:
        for process in self._processes:
            end_group(process.pid, number)


def end_group(leader: int, number: signal.Signals) -> None:
    """Send a signal to a process group, if there still is one."""
    try:
        os.killpg(leader, number)
    except ProcessLookupError:
        return


def _start(host: Host, mark: Mapping[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603  # running what a job asks for is what this is for
        list(host.command),
        cwd=host.folder,
        env={**host.environment, **mark},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
