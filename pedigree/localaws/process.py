"""The daemon seen from outside: started once for a folder, found again, ended, and its folder cleared.

Whether one runs is known by the lock that it holds, not by a number in a file: a number may be somebody else's by now.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pedigree.localaws.kernel import orphans
from pedigree.localaws.kernel.errors import LocalAwsError

TAKEN = 3
START_SECONDS = 30.0
STOP_SECONDS = 60.0
_LOOK_SECONDS = 0.02


class DaemonError(LocalAwsError):
    """A daemon that does not start, or does not end."""


@dataclass(frozen=True)
class Daemon:
    """A daemon that runs, and what it was started with."""

    pid: int
    port: int
    url: str
    region: str
    has_container: bool = False
    enforces_iam: bool = True
    tells_calls: bool = False


def lock_path(folder: Path) -> Path:
    """What the daemon of a folder holds as long as it lives."""
    return folder / "lock"


def state_path(folder: Path) -> Path:
    """Where it says how to reach it."""
    return folder / "daemon.json"


def log_path(folder: Path) -> Path:
    """What it says meanwhile."""
    return folder / "daemon.log"


def find(folder: Path) -> Daemon | None:
    """The daemon of a folder, if one runs and is ready."""
    if not is_running(folder):
        return None
    try:
        told = Daemon(**json.loads(state_path(folder).read_text(encoding="utf-8")))
        os.kill(told.pid, 0)  # one that was killed may have told it, just before another takes its place
    except (FileNotFoundError, ProcessLookupError):
        return None
    return told


def is_running(folder: Path) -> bool:
    """Whether a daemon holds a folder."""
    try:
        with lock_path(folder).open("r") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False


def up(
    folder: Path,
    *,
    port: int = 0,
    region: str = "us-east-1",
    container: Path | None = None,
    enforces_iam: bool = True,
    tells_calls: bool = False,
) -> Daemon:
    """The daemon of a folder, started if there is none, and anew if it runs otherwise than it has to.

    One that was started before there was an environment for jobs could run none. DaemonError says why none comes up.
    """
    running = find(folder)
    if running is not None:
        is_fit = running.has_container or container is None
        is_more = (not enforces_iam and running.enforces_iam) or (tells_calls and not running.tells_calls)
        if is_fit and not is_more:
            return running
        down(folder)
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    command = [
        sys.executable,
        "-m",
        "pedigree.localaws",
        "--folder",
        str(folder),
        "--port",
        str(port),
        "--region",
        region,
    ]
    if container is not None:
        command += ["--container", str(container.resolve())]
    if not enforces_iam:
        command += ["--no-iam"]
    if tells_calls:
        command += ["--verbose"]
    mark = orphans.unique_marker()
    try:
        return _ready(folder, _begun(command, folder, mark))
    except BaseException:  # Ctrl-C, too: one that nobody waits for is not left to come up by itself
        orphans.kill_marked(mark)
        _clear(folder)
        raise


def _begun(command: Sequence[str], folder: Path, mark: Mapping[str, str]) -> subprocess.Popen[bytes]:
    root, environment = Path(__file__).resolve().parents[2], {**os.environ, **mark}
    with log_path(folder).open("ab") as log:
        return subprocess.Popen(  # noqa: S603  # our own module
            command,
            cwd=root,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def _ready(folder: Path, process: subprocess.Popen[bytes]) -> Daemon:
    """The daemon of a folder when it answers, be it this process or one that somebody else has begun just then."""
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        running = find(folder)
        if running is not None:
            return running
        if process.poll() not in (None, TAKEN):
            raise DaemonError(f"the local AWS ended at once, {_last_words(folder)}; see {log_path(folder)}")
        time.sleep(_LOOK_SECONDS)
    raise DaemonError(f"the local AWS is not ready after {START_SECONDS:.0f} seconds; see {log_path(folder)}")


def down(folder: Path) -> bool:
    """End the daemon of a folder, one that is just starting, too; whether there was one."""
    _wait(
        lambda: find(folder) is not None or not is_running(folder),
        f"the local AWS neither answers nor ends; see {log_path(folder)}",
    )
    running = find(folder)
    if running is None:
        _clear(folder)
        return False
    os.kill(running.pid, signal.SIGTERM)
    pid = running.pid
    _wait(lambda: not is_running(folder) and _is_gone(pid), f"process {pid} does not end; see {log_path(folder)}")
    return True


def _is_gone(pid: int) -> bool:
    """Whether a process has ended; one that this process has started has to be taken leave of."""
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def _clear(folder: Path) -> None:
    """End what a daemon that was killed has left running, if nobody else has taken its place."""
    if not lock_path(folder).exists():
        return
    with lock_path(folder).open("r") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return
        orphans.kill_orphans(folder)


def reset(folder: Path) -> None:
    """End the daemon of a folder and forget all that it knew."""
    down(folder)
    if folder.exists() and not state_path(folder).parent.joinpath("state.sqlite").exists() and any(folder.iterdir()):
        raise DaemonError(f"{folder} is no folder of a local AWS; it is left as it is")
    shutil.rmtree(folder, ignore_errors=True)


def _wait(is_so: Callable[[], bool], otherwise: str) -> None:
    until = time.monotonic() + STOP_SECONDS
    while not is_so():
        if time.monotonic() > until:
            raise DaemonError(otherwise)
        time.sleep(_LOOK_SECONDS)


def _last_words(folder: Path) -> str:
    lines = log_path(folder).read_text(encoding="utf-8", errors="replace").split("\n")
    said = [line for line in lines if line.strip()]
    return f"saying {said[-1]!r}" if said else "saying nothing"
