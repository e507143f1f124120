"""The process of a model server, which is one container of an instance, and the connections to it."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from pedigree.localaws.containers.container import Container, Mount
from pedigree.localaws.containers.runtime import ContainerRuntime
from pedigree.localaws.kernel import orphans
from pedigree.localaws.kernel.errors import LocalAwsError
from pedigree.localaws.kernel.output_reader import OutputReader
from pedigree.localaws.kernel.processes import Launch, end_group, start
from pedigree.localaws.services.sagemaker.endpoints.answer_stream import AnswerStream, StreamedReply
from pedigree.localaws.services.sagemaker.endpoints.connection import Address, Connection
from pedigree.localaws.services.sagemaker.endpoints.server_reply import Reply
from pedigree.localaws.services.sagemaker.resources.images import PROGRAMS, PROGRAMS_FOLDER
from pedigree.localaws.services.sagemaker.resources.model_containers import PRIMARY

_SERVER = Path(__file__).parent / "model_server.py"
_SERVER_FOLDER = "/opt/model-server"
MODEL = "/opt/ml/model"
OK = 200
_PING_SECONDS = 0.05
START_SECONDS = 480.0  # as on AWS
ANSWER_SECONDS = 60.0
_GRACE_SECONDS = 5.0
_MOST_WAITING = 256
_KEPT_LINES = 200
_TRACEBACK = "Traceback (most recent call last):"
OnLine = Callable[[str], None]
_INVOCATIONS = "/invocations"
_Answered = TypeVar("_Answered")


class InstanceError(LocalAwsError):
    """An instance does not start, or does not answer."""


class InstanceDiedError(InstanceError):
    """The instance has died before it answered; another one can be invoked."""


class PingFailedError(InstanceError):
    """A container ended, or did not answer pings in time."""

    def __init__(self, container: str, reason: str) -> None:
        super().__init__(f"The {container} container did not pass the ping health check: {reason}")
        self.container = container
        self.reason = reason


class ModelTimeoutError(InstanceError):
    """The model did not answer in time."""


@dataclass(frozen=True)
class ServerSpec:
    """What a model server runs: a Python, a model's folder, environment variables, and what gets its output.

    serve is the program with the defaults of the model's functions. With containers, each server has one: the model
    at its real path, and a layer for what its code requires. An isolated one has a network without a way out, and the
    daemon reaches it by a socket that it is given. hostname is what its model calls the container.
    """

    python: str
    model: Path
    environment: Mapping[str, str]
    on_line: OnLine
    answer_seconds: float = ANSWER_SECONDS
    containers: ContainerRuntime | None = None
    is_isolated: bool = False
    serve: str = "pytorch_serving"
    hostname: str = PRIMARY

    @property
    def has_own_network(self) -> bool:
        return self.is_isolated and self.containers is not None


class ServerProcess:
    """A model server; when_over is called when its process has ended, for any reason."""

    def __init__(self, spec: ServerSpec, when_over: Callable[[], None] = lambda: None) -> None:
        self._mark = orphans.unique_marker()
        self._changes = spec.model.with_name(f".{spec.model.name}-{uuid.uuid4().hex}")
        # A name of the kernel alone: a path could be a link by the time that the daemon connects.
        self._socket = f"\0pedigree-{uuid.uuid4().hex}" if spec.has_own_network else ""
        self._process = _process(spec, self._mark, self._changes, self._socket)
        self._spec = spec
        self._when_over = when_over
        self._last_lines: deque[str] = deque(maxlen=_KEPT_LINES)
        self._address: Address | None = None
        self._has_output = threading.Event()
        self._is_gone = False
        self._idle: list[Connection] = []
        self._lock = threading.Lock()
        assert self._process.stdout is not None
        self._listener = OutputReader(self._process.stdout, self._read_line)
        self._watcher = threading.Thread(target=self._watch, name="instance", daemon=True)
        self._watcher.start()

    @property
    def process(self) -> int:
        """The process's id."""
        return self._process.pid

    def is_alive(self) -> bool:
        """Whether it can be invoked."""
        return not self._is_gone and self._process.poll() is None

    def wait_until_ready(self, is_wanted: Callable[[], bool], seconds: float = START_SECONDS) -> None:
        """Wait until the model answers pings; InstanceError if it never does, or is no longer needed."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and is_wanted():
            if not self.is_alive():
                self._watcher.join()
                raise PingFailedError(self._spec.hostname, self._reason())
            if self._has_output.wait(_PING_SECONDS) and self._address and self._ping():
                return
            time.sleep(_PING_SECONDS)
        if not is_wanted():
            raise InstanceError("it is no longer needed")
        raise PingFailedError(self._spec.hostname, f"it did not answer in {seconds:.0f} seconds")

    def invoke(self, body: bytes, headers: Mapping[str, str], seconds: float | None = None) -> Reply:
        """Invoke the model; raises InstanceDiedError or ModelTimeoutError if it does not answer, in so many seconds."""
        patience = seconds or self._spec.answer_seconds
        started = time.perf_counter()
        connection, answer = self._exchanged(lambda at: at.request("POST", _INVOCATIONS, headers, body), patience)
        self._keep(connection)
        took = time.perf_counter() - started
        return Reply(answer.status, answer.content_type, answer.content, took, self._spec.hostname)

    def stream(self, body: bytes, headers: Mapping[str, str]) -> StreamedReply:
        """Invoke the model, and return its answer as soon as it begins; raises what invoke raises."""
        patience = self._spec.answer_seconds
        connection, answer = self._exchanged(lambda at: at.begin("POST", _INVOCATIONS, headers, body), patience)
        stream = AnswerStream(answer.pieces)
        stream.when_over(lambda: self._keep(connection) if stream.is_whole else connection.close())
        return StreamedReply(answer.status, answer.content_type, stream, self._spec.hostname)

    def _exchanged(self, ask: Callable[[Connection], _Answered], patience: float) -> tuple[Connection, _Answered]:
        """Ask the server something, and return what it answers and the connection to it."""
        connection: Connection | None = None
        try:
            connection = self._connection()
            connection.set_patience(patience)
            return connection, ask(connection)
        except OSError as error:
            if connection is not None:
                connection.close()
            if isinstance(error, TimeoutError):
                raise ModelTimeoutError(f"the model did not answer in {patience:.0f} seconds") from error
            self._is_gone = True
            raise InstanceDiedError(f"the model server went away: {error!r}") from error

    def _keep(self, connection: Connection) -> None:
        with self._lock:
            self._idle.append(connection)

    def end(self) -> None:
        """Ask the process to end, and kill it if it does not."""
        end_group(self._process.pid, signal.SIGTERM)
        try:
            self._process.wait(_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            end_group(self._process.pid, signal.SIGKILL)
        self._watcher.join()
        with self._lock:
            for connection in self._idle:
                connection.close()
            self._idle.clear()

    def _connection(self) -> Connection:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        return self._connected()

    def _connected(self) -> Connection:
        if self._address is None:
            raise ConnectionRefusedError("the model server does not listen yet")
        return Connection(self._address, self._spec.answer_seconds)

    def _ping(self) -> bool:
        try:
            connection = self._connected()
        except OSError:
            return False
        try:
            return connection.request("GET", "/ping", {}).status == OK
        except OSError:
            return False
        finally:
            connection.close()

    def _read_line(self, line: str) -> None:
        """Take a line of its output; the first one is its port."""
        if not self._has_output.is_set():
            port = _port(line)
            self._address = None if port is None else self._socket or port
            self._has_output.set()
            if self._address:
                return
        self._last_lines.append(line)
        self._spec.on_line(line)

    def _watch(self) -> None:
        """Wait for its end, and kill everything that it has started."""
        self._process.wait()
        self._is_gone = True
        self._when_over()
        end_group(self._process.pid, signal.SIGKILL)
        orphans.kill_marked(self._mark)
        shutil.rmtree(self._changes, ignore_errors=True)
        self._listener.finish()
        self._has_output.set()

    def _reason(self) -> str:
        """The error that ended it, whose message may have many lines, or else its last line."""
        lines = [line for line in self._last_lines if line.strip()]
        start = max((number for number, line in enumerate(lines) if line == _TRACEBACK), default=len(lines))
        errors = [line for line in lines[start + 1 :] if not line[0].isspace()]
        return next(iter((*errors, *lines[-1:], "it said nothing")))[:512]


def _process(spec: ServerSpec, mark: Mapping[str, str], changes: Path, name: str) -> subprocess.Popen[bytes]:
    try:
        with _listening(name) as descriptors:
            launch = _contained(spec, spec.containers, changes, descriptors) if spec.containers else _plain(spec)
            return start(launch, spec.model, {**spec.environment, **mark})
    except OSError as error:
        raise InstanceError(f"The {spec.hostname} container does not start: {error}") from error


@contextmanager
def _listening(name: str) -> Iterator[tuple[int, ...]]:
    """The socket of that name, for a process that starts meanwhile; none without a name."""
    if not name:
        yield ()
        return
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(name)
        listening.listen(_MOST_WAITING)
        yield (listening.fileno(),)


def _plain(spec: ServerSpec) -> Launch:
    return Launch([spec.python, str(_SERVER), str(spec.model), str(PROGRAMS_FOLDER / f"{spec.serve}.py")])


def _contained(spec: ServerSpec, containers: ContainerRuntime, changes: Path, descriptors: tuple[int, ...]) -> Launch:
    server = f"{_SERVER_FOLDER}/{_SERVER.name}"
    mounts = (Mount(spec.model, MODEL), Mount(_SERVER, server), Mount(PROGRAMS_FOLDER, PROGRAMS))
    bare = Container("model", MODEL, mounts, has_own_network=spec.has_own_network)
    container = containers.with_python(bare, Path(spec.python).parent.parent, changes)
    options = ("--install", *(word for number in descriptors for word in ("--socket", str(number))))
    launch = containers.launched(container, (spec.python, server, MODEL, f"{PROGRAMS}/{spec.serve}.py", *options))
    return replace(launch, descriptors=descriptors)


def end_left_over(folder: Path) -> None:
    """Kill the model servers that an earlier daemon started for models in a folder."""
    mark = f"{folder}/".encode()
    for process in Path("/proc").iterdir():
        if process.name.isdecimal() and _runs(process, mark):
            orphans.kill_process(int(process.name))


def _runs(process: Path, mark: bytes) -> bool:
    """Whether a process is a model server with a model below a folder."""
    try:
        words = (process / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return str(_SERVER).encode() in words and any(word.startswith(mark) for word in words)


def _port(line: str) -> int | None:
    """The port in a line, 0 for a socket that the server was given; None if the line names none."""
    try:
        return int(json.loads(line)["port"])
    except (ValueError, TypeError, KeyError):
        return None
