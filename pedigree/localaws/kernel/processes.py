"""The processes of a job's hosts: started together, read line by line, ended together.

Each host is a process group of its own, so that its child processes end with it. If one host fails, the others are
ended too, as SageMaker does.
"""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TypeAlias

from pedigree.localaws.kernel import orphans
from pedigree.localaws.kernel.output_reader import OutputReader

OnOutput: TypeAlias = Callable[[str, str], None]
"""Gets a host's name and a line that it printed."""
GRACE_SECONDS = 120.0
CONTAINER_UMASK = 0o022
"""What a container has, and the daemon has not: files keep their usual permissions when they leave its folder."""
_POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Launch:
    """A command, what it reads from its standard input, if anything, and the descriptors that it is given."""

    command: Sequence[str]
    plan: bytes = b""
    descriptors: tuple[int, ...] = ()

    @contextmanager
    def input(self) -> Iterator[int | IO[bytes]]:
        """A file to read the plan from: a pipe could block the daemon while the process does not read."""
        if not self.plan:
            yield subprocess.DEVNULL
            return
        with tempfile.TemporaryFile() as file:
            file.write(self.plan)
            file.seek(0)
            yield file


@dataclass(frozen=True)
class Host:
    """What one host runs, with its folder and environment."""

    name: str
    launch: Launch
    folder: Path
    environment: Mapping[str, str]


@dataclass(frozen=True)
class ExitStatus:
    """How the hosts ended; exit_code is that of the first host that failed."""

    exit_code: int
    is_stopped: bool = False
    is_too_long: bool = False


class HostProcesses:
    """Starts one process for each host, and ends them together."""

    def __init__(self, hosts: Sequence[Host], on_output: OnOutput) -> None:
        self._marker = orphans.unique_marker()
        self._stop_requested, self._changed = threading.Event(), threading.Event()
        try:
            self._processes = [start(host.launch, host.folder, {**host.environment, **self._marker}) for host in hosts]
        except OSError:
            orphans.kill_marked(self._marker)
            raise
        self._readers = [
            self._read(host.name, process, on_output) for host, process in zip(hosts, self._processes, strict=True)
        ]

    @property
    def groups(self) -> list[int]:
        """The ids of the process groups."""
        return [process.pid for process in self._processes]

    def stop(self) -> None:
        """Request a stop and return at once; wait() ends the processes."""
        self._stop_requested.set()
        self._changed.set()

    def wait(self, seconds: float, grace: float = GRACE_SECONDS) -> ExitStatus:
        """Wait for all hosts; after the given time, a failure or a stop, end them with SIGTERM, a grace and SIGKILL."""
        deadline, is_too_long = time.monotonic() + seconds, False
        while None in [process.poll() for process in self._processes]:
            is_too_long = time.monotonic() >= deadline
            failed = any(process.returncode not in (None, 0) for process in self._processes)
            if self._stop_requested.is_set() or is_too_long or failed:
                self._end(grace)
                break
            self._changed.wait(_POLL_SECONDS)
            self._changed.clear()
        # A container ends with its first process; so its remaining processes are killed, which closes the output.
        self._signal(signal.SIGKILL)
        orphans.kill_marked(self._marker)
        for reader in self._readers:
            reader.finish()
        codes = [process.wait() for process in self._processes]
        return ExitStatus(next((code for code in codes if code), 0), self._stop_requested.is_set(), is_too_long)

    def _read(self, host: str, process: subprocess.Popen[bytes], on_output: OnOutput) -> OutputReader:
        """Read a process's output, and wake wait() as soon as the process ends."""
        assert process.stdout is not None

        def ended() -> None:
            process.wait()
            self._changed.set()

        return OutputReader(process.stdout, lambda line: on_output(host, line), ended)

    def _end(self, grace: float) -> None:
        """Send SIGTERM to every group, and wait for the grace period."""
        self._signal(signal.SIGTERM)
        until = time.monotonic() + grace
        while time.monotonic() < until and any(process.poll() is None for process in self._processes):
            time.sleep(_POLL_SECONDS)

    def _signal(self, number: signal.Signals) -> None:
        for process in self._processes:
            end_group(process.pid, number)


def end_group(leader: int, number: signal.Signals) -> None:
    """Send a signal to a process group, if it still exists."""
    try:
        os.killpg(leader, number)
    except ProcessLookupError:
        return


def start(launch: Launch, folder: Path, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start a process that leads a session of its own, and whose output can be read as one stream."""
    with launch.input() as launch_input:
        return subprocess.Popen(  # noqa: S603  # running the user's commands is the purpose
            list(launch.command),
            cwd=folder,
            env=dict(environment),
            stdin=launch_input,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=launch.descriptors,
            umask=CONTAINER_UMASK,
        )
