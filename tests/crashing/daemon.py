"""A daemon to kill: started as a user starts it, reached at one address, with everything that it started in view."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from pedigree.localaws import process

ROOT = Path(__file__).parents[2]
REGION = "us-east-1"
PATIENCE_SECONDS = 60.0
# So long after it was asked for, a daemon has begun nothing yet, and what another one began has said so.
_BEFORE_ANYTHING_SECONDS = 0.4
_START = (
    "import sys; from pathlib import Path; from pedigree.localaws import process; "
    "process.up(Path(sys.argv[1]), port=int(sys.argv[2]), container=Path(sys.argv[3]))"
)
# Runs the line of shell that the environment holds; h reads a hyperparameter.
_TOOLKIT = r"""#!/bin/sh
h() { sed -n 's/.*"'$1'": "\([^"]*\)".*/\1/p' "$SAGEMAKER_BASE_DIR/input/config/hyperparameters.json"; }
eval "$SCRIPT"
"""


@dataclass(frozen=True)
class Running:
    """A process of the machine."""

    id: int
    parent: int
    session: int


class Victim:
    """A local AWS in a folder, with an address that stays."""

    def __init__(self, folder: Path) -> None:
        self.state = folder / "state"
        self.container = folder / "container"
        self.kills = 0
        self.borders: list[float] = []
        self.is_up = threading.Event()
        self._port = _free_port()
        self._session = boto3.session.Session()
        self._lock = threading.Lock()
        self._clients: dict[str, Any] = {}
        _lay_out(self.container)

    def start(self) -> subprocess.Popen[bytes]:
        """Have it started, and do not wait."""
        self.borders.append(time.time() + _BEFORE_ANYTHING_SECONDS)
        command = [sys.executable, "-c", _START, str(self.state), str(self._port), str(self.container)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        return subprocess.Popen(command, env=environment, cwd=ROOT, stderr=subprocess.PIPE)

    def up(self) -> None:
        """Have it started, and ready."""
        _, said = (starting := self.start()).communicate(timeout=PATIENCE_SECONDS)
        assert starting.returncode == 0, said.decode()
        self.is_up.set()

    def kill(self) -> None:
        """SIGKILL to the daemon, whether or not it is ready."""
        self.is_up.clear()
        _await(self._is_killed)

    def kill_while_it_starts(self, after: float) -> None:
        """SIGKILL so many seconds after somebody began to start it, or as soon as it is there."""
        with self.start() as starting:
            time.sleep(after)
            _await(lambda: self._is_killed() and starting.poll() is not None)

    def _is_killed(self) -> bool:
        """Kill whoever is there; whether nobody was."""
        found = self.daemons()
        for one in found:
            os.kill(one, signal.SIGKILL)
            self.kills += 1
        return not found and not process.is_running(self.state)

    def down(self) -> None:
        """End it as a user does."""
        self.is_up.clear()
        process.down(self.state)

    def client(self, service: str) -> Any:
        """A client that asks once."""
        with self._lock:
            if service not in self._clients:
                self._clients[service] = self._session.client(
                    service,
                    region_name=REGION,
                    endpoint_url=f"http://127.0.0.1:{self._port}",
                    aws_access_key_id="local",
                    aws_secret_access_key="local",
                    config=Config(retries={"total_max_attempts": 1}, read_timeout=60, max_pool_connections=32),
                )
            return self._clients[service]

    def daemons(self) -> list[int]:
        """The processes that are a daemon of this folder, and run."""
        mark = b"\0".join([b"-m", b"pedigree.localaws", b"--folder", str(self.state.resolve()).encode(), b""])
        return [one for one in _processes() if mark in _read(one, "cmdline") and _stat(one) is not None]

    def orphans(self) -> list[str]:
        """What runs in the folder without a daemon that looks after it: its session was begun by no daemon of now."""
        keepers = set(self.daemons())
        return [
            f"{one.id} {_read(one.id, 'cmdline').replace(bytes(1), b' ').decode(errors='replace')}"
            for one in self._workers()
            if _parent(one.session) not in keepers
        ]

    def _workers(self) -> Iterator[Running]:
        """The processes whose folder is one of this local AWS's."""
        inside = f"{self.state.resolve()}{os.sep}"
        for one in _processes():
            try:
                place = str(Path(f"/proc/{one}/cwd").readlink())
            except OSError:
                continue
            told = _stat(one)
            if place.startswith(inside) and told is not None:
                yield told


def _await(is_so: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.01)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def _lay_out(container: Path) -> None:
    """An environment that stands for the container: this Python, and a toolkit of shell."""
    (container / "bin").mkdir(parents=True)
    (container / "bin" / "python").symlink_to(sys.executable)
    toolkit = container / "bin" / "train"
    toolkit.write_text(_TOOLKIT)
    toolkit.chmod(0o755)


def _processes() -> list[int]:
    return [int(one.name) for one in Path("/proc").iterdir() if one.name.isdecimal()]


def _read(one: int, name: str) -> bytes:
    try:
        return Path(f"/proc/{one}/{name}").read_bytes()
    except OSError:
        return b""


def _stat(one: int) -> Running | None:
    """A process that runs; None if it has ended."""
    fields = _read(one, "stat").decode(errors="replace").rpartition(")")[2].split()
    if len(fields) < 4 or fields[0] == "Z":
        return None
    return Running(one, parent=int(fields[1]), session=int(fields[3]))


def _parent(one: int) -> int:
    told = _stat(one)
    return told.parent if told else 0
