"""Starts, finds and ends the daemon of a folder.

A daemon runs as long as the lock on its folder is held; a process id in a file may belong to another process by now.
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
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from pedigree.local_endpoint import VARIABLE
from pedigree.localaws.engine import engines
from pedigree.localaws.engine.command_lines import NONE
from pedigree.localaws.kernel import orphans, state_folder
from pedigree.localaws.kernel.access_key import WELL_KNOWN, AccessKey, find_key
from pedigree.localaws.kernel.client_access import BUNDLE_VARIABLES, PROXY_VARIABLES, ClientAccess
from pedigree.localaws.kernel.errors import LocalAwsError

TAKEN = 3
START_SECONDS = 120.0  # two is usual; a busy machine takes long, and a daemon that fails says so at once
STOP_SECONDS = 60.0
_LOOK_SECONDS = 0.02


class DaemonError(LocalAwsError):
    """A daemon does not start, or does not end."""


@dataclass(frozen=True)
class Daemon:
    """A running daemon, and its options."""

    pid: int
    port: int
    url: str
    region: str
    key: AccessKey
    has_container: bool = False
    enforces_iam: bool = True
    tells_calls: bool = False
    has_well_known_keys: bool = False
    why_no_containers: str = ""
    mounts: Sequence[str] = ()
    proxy_port: int = 0
    bundle: str = ""
    is_offline: bool = False
    images: str = ""
    engine: str = NONE

    @property
    def access(self) -> ClientAccess:
        """How its clients reach it."""
        return ClientAccess(self.url, f"http://127.0.0.1:{self.proxy_port}", Path(self.bundle))

    @property
    def document(self) -> dict[str, Any]:
        """What daemon.json has of it: all but its key."""
        return {name: value for name, value in vars(self).items() if name != "key"}


def lock_path(folder: Path) -> Path:
    """The file that the daemon of a folder has locked as long as it lives."""
    return folder / "lock"


def state_path(folder: Path) -> Path:
    """The file with the daemon's address and options."""
    return folder / "daemon.json"


def log_path(folder: Path) -> Path:
    """The daemon's log."""
    return folder / "daemon.log"


def find(folder: Path) -> Daemon | None:
    """The daemon of a folder, if one runs and is ready."""
    if not is_running(folder):
        return None
    try:
        document = json.loads(state_path(folder).read_text(encoding="utf-8"))
        daemon = Daemon(**document, key=_key(folder, document))
        os.kill(daemon.pid, 0)  # the file may be of a daemon that was killed
    except (FileNotFoundError, ProcessLookupError):
        return None
    return daemon


def _key(folder: Path, document: Mapping[str, Any]) -> AccessKey:
    """The key for clients of a daemon; those of earlier versions knew only one."""
    own = None if document.get("has_well_known_keys", False) else find_key(folder)
    return own or WELL_KNOWN


def is_running(folder: Path) -> bool:
    """Whether a daemon runs in a folder."""
    try:
        with lock_path(folder).open("r") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # there is none that this user could reach; to start one tells what is wrong with the folder
        return False
    return False


@dataclass(frozen=True)
class UpOptions:
    """What a daemon is started with."""

    port: int = 0
    region: str = "us-east-1"
    container: Path | None = None
    enforces_iam: bool = True
    tells_calls: bool = False
    has_well_known_keys: bool = False
    uses_namespaces: bool = True
    mounts: Sequence[Path] = ()
    is_offline: bool = False
    images: Path | None = None
    engine: str = ""

    def fit(self, running: Daemon) -> bool:
        """Whether a running daemon has all that is asked for; one without an environment for jobs may lack it."""
        is_lacking = (
            (self.container is not None and not running.has_container)
            or (not self.enforces_iam and running.enforces_iam)
            or (self.tells_calls and not running.tells_calls)
            or (self.has_well_known_keys and not running.has_well_known_keys)
            or (not self.uses_namespaces and not running.why_no_containers)
            or not {str(path.resolve()) for path in self.mounts} <= set(running.mounts)
            or (self.is_offline and not running.is_offline)
            or (self.images is not None and str(self.images.resolve()) != running.images)
            or (self.engine and self.engine != running.engine)
        )
        return not is_lacking

    @property
    def arguments(self) -> tuple[str, ...]:
        """As the daemon's command line has them."""
        flags = {
            "--no-iam": not self.enforces_iam,
            "--verbose": self.tells_calls,
            "--well-known-keys": self.has_well_known_keys,
            "--no-namespaces": not self.uses_namespaces,
            "--offline": self.is_offline,
        }
        return (
            *("--port", str(self.port), "--region", self.region),
            *(("--container", str(self.container.resolve())) if self.container is not None else ()),
            *(("--images", str(self.images.resolve())) if self.images is not None else ()),
            *(("--engine", self.engine) if self.engine else ()),
            *(flag for flag, is_on in flags.items() if is_on),
            *(word for path in self.mounts for word in ("--mount", str(path.resolve()))),
        )


_USUAL = UpOptions()


def up(folder: Path, options: UpOptions = _USUAL) -> Daemon:
    """The daemon of a folder: the running one, or a new one if there is none or the options do not fit it."""
    running = find(folder)
    if running is not None:
        if options.fit(running) and not _is_outdated(running):
            return running
        down(folder)
    folder = folder.resolve()
    state_folder.prepare(folder)
    command = [sys.executable, "-m", "pedigree.localaws", "--folder", str(folder), *options.arguments]
    mark = orphans.unique_marker()
    try:
        return _ready(folder, _begun(command, folder, mark))
    except BaseException:  # Ctrl-C, too: no daemon is left to come up unattended
        orphans.kill_marked(mark)
        _clear(folder)
        raise


def _is_outdated(running: Daemon) -> bool:
    """Whether a daemon is of an earlier version, which verified no signature, or had no proxy."""
    return (running.key == WELL_KNOWN and not running.has_well_known_keys) or not running.proxy_port


def _begun(command: Sequence[str], folder: Path, mark: Mapping[str, str]) -> subprocess.Popen[bytes]:
    # Keys of a real account are none of the daemon's business, and its jobs can read its environment.
    # In a shell that uses a local AWS, the proxy and the roots are that one's.
    left_out = (*PROXY_VARIABLES, *BUNDLE_VARIABLES) if os.environ.get(VARIABLE) else ()
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith("AWS_") and name not in left_out
    }
    root, environment = Path(__file__).resolve().parents[2], {**inherited, **mark}
    with _opened_log(folder) as log:
        return subprocess.Popen(  # noqa: S603  # our own module
            command,
            cwd=root,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def _opened_log(folder: Path) -> IO[bytes]:
    try:
        return open(log_path(folder), "ab", opener=_private)  # Path.open takes no opener
    except OSError as error:
        raise DaemonError(f"{log_path(folder)} cannot be written: {error.strerror}", "choose another folder") from None


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _ready(folder: Path, process: subprocess.Popen[bytes]) -> Daemon:
    """Wait until the daemon of a folder answers: this process, or one that another caller has just started."""
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
    """End the daemon of a folder, even one that is just starting; whether there was one."""
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
    _wait(
        lambda: not is_running(folder) and orphans.has_ended(pid), f"process {pid} does not end; see {log_path(folder)}"
    )
    return True


def _clear(folder: Path) -> None:
    """End the processes of a daemon that was killed, unless another daemon runs by now."""
    if not lock_path(folder).exists():
        return
    with lock_path(folder).open("r") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return
        engines.clean(folder)
        orphans.kill_orphans(folder)


def reset(folder: Path) -> None:
    """End the daemon of a folder, and delete its state."""
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
    written = [line for line in lines if line.strip()]
    return f"saying {written[-1]!r}" if written else "saying nothing"
