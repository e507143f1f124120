"""A daemon to kill: starts as a user starts it, keeps its address, and lists all processes that it has started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from pedigree.localaws import process
from pedigree.localaws.kernel import state_folder
from pedigree.localaws.kernel.access_key import folder_key
from tests.support.images import images_file
from tests.support.loopback import free_port
from tests.support.waiting import PATIENCE_SECONDS, until

ROOT = Path(__file__).parents[2]
REGION = "us-east-1"
# So long after its start, a daemon has not begun any step, and steps of the one before have written their first line.
_BEFORE_ANYTHING_SECONDS = 0.4
_START = (
    "import sys; from pathlib import Path; from pedigree.localaws import process; "
    "process.up(Path(sys.argv[1]), process.UpOptions("
    "port=int(sys.argv[2]), images=Path(sys.argv[3]), mounts=[Path(sys.argv[4])]))"
)
# Runs the line of shell that the environment holds; h reads a hyperparameter.
_TOOLKIT = r"""#!/bin/sh
h() { sed -n 's/.*"'$1'": "\([^"]*\)".*/\1/p' "${SAGEMAKER_BASE_DIR:-/opt/ml}/input/config/hyperparameters.json"; }
eval "$SCRIPT"
"""


@dataclass(frozen=True)
class RunningProcess:
    """A process of this machine."""

    id: int
    parent: int
    session: int


class KillableDaemon:
    """A local AWS in a folder; its address stays the same over all restarts."""

    def __init__(self, folder: Path) -> None:
        self.state = folder / "state"
        container = folder / "container"
        self.notes = folder / "notes"
        self.notes.mkdir(exist_ok=True)
        self.kills = 0
        self.boundaries: list[float] = []
        self.is_up = threading.Event()
        self._port = free_port()
        state_folder.prepare(self.state)
        self._key = folder_key(self.state)
        self._session = boto3.session.Session()
        self._lock = threading.Lock()
        self._clients: dict[str, Any] = {}
        _create_container(container)
        self._images = images_file(folder, container)

    def start(self) -> subprocess.Popen[bytes]:
        """Start it without waiting for it."""
        self.boundaries.append(time.time() + _BEFORE_ANYTHING_SECONDS)
        places = (self.state, self._port, self._images, self.notes)
        command = [sys.executable, "-c", _START, *map(str, places)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        return subprocess.Popen(command, env=environment, cwd=ROOT, stderr=subprocess.PIPE)

    def up(self) -> None:
        """Start it and wait until it is ready."""
        _, said = (starting := self.start()).communicate(timeout=PATIENCE_SECONDS)
        assert starting.returncode == 0, said.decode()
        self.is_up.set()

    def kill(self) -> None:
        """Send SIGKILL, whether or not it is ready."""
        self.is_up.clear()
        until(self._is_killed)

    def kill_while_it_starts(self, after: float) -> None:
        """Start it, and send SIGKILL after so many seconds or as soon as its process exists."""
        with self.start() as starting:
            time.sleep(after)
            until(lambda: self._is_killed() and starting.poll() is not None)

    def _is_killed(self) -> bool:
        """Kill each daemon that runs; true if there was none."""
        found = self.daemons()
        for pid in found:
            os.kill(pid, signal.SIGKILL)
            self.kills += 1
        return not found and not process.is_running(self.state)

    def down(self) -> None:
        """Stop it as a user does."""
        self.is_up.clear()
        process.down(self.state)

    def client(self, service: str) -> Any:
        """A client without retries, made once for a service."""
        with self._lock:
            if service not in self._clients:
                self._clients[service] = self._session.client(
                    service,
                    region_name=REGION,
                    endpoint_url=f"http://127.0.0.1:{self._port}",
                    aws_access_key_id=self._key.id,
                    aws_secret_access_key=self._key.secret,
                    config=Config(retries={"total_max_attempts": 1}, read_timeout=60, max_pool_connections=32),
                )
            return self._clients[service]

    def daemons(self) -> list[int]:
        """The running daemons of this folder."""
        mark = b"\0".join([b"-m", b"pedigree.localaws", b"--folder", str(self.state.resolve()).encode(), b""])
        return [pid for pid in _process_ids() if mark in _read(pid, "cmdline") and _stat(pid) is not None]

    def orphans(self) -> list[str]:
        """Processes in the folder that no running daemon has started."""
        daemons = set(self.daemons())
        return [
            f"{worker.id} {_read(worker.id, 'cmdline').replace(bytes(1), b' ').decode(errors='replace')}"
            for worker in self._workers()
            if _parent(worker.session) not in daemons
        ]

    def _workers(self) -> Iterator[RunningProcess]:
        """The processes that work in folders of this local AWS."""
        inside = f"{self.state.resolve()}{os.sep}"
        for pid in _process_ids():
            try:
                place = str(Path(f"/proc/{pid}/cwd").readlink())
            except OSError:
                continue
            running = _stat(pid)
            if place.startswith(inside) and running is not None:
                yield running


def _create_container(container: Path) -> None:
    """Create an environment that stands for the container: this Python, and a training toolkit in shell."""
    (container / "bin").mkdir(parents=True)
    (container / "bin" / "python").symlink_to(Path(sys.executable).resolve())
    toolkit = container / "bin" / "train"
    toolkit.write_text(_TOOLKIT)
    toolkit.chmod(0o755)


def _process_ids() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal()]


def _read(pid: int, name: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return b""


def _stat(pid: int) -> RunningProcess | None:
    """A running process; None if it has ended."""
    fields = _read(pid, "stat").decode(errors="replace").rpartition(")")[2].split()
    if len(fields) < 4 or fields[0] == "Z":
        return None
    return RunningProcess(pid, parent=int(fields[1]), session=int(fields[3]))


def _parent(pid: int) -> int:
    running = _stat(pid)
    return running.parent if running else 0
