"""An execution environment: a process that has loaded a function and runs one invocation after the other.

The caller waits for the answer, reads what the function prints meanwhile, and kills the process with its children at
the timeout. Everything printed before an answer is read before the answer is returned, so that every line belongs to
its invocation.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pedigree.localaws.containers.container import Container, Mount
from pedigree.localaws.containers.runtime import ContainerRuntime
from pedigree.localaws.kernel.processes import CONTAINER_UMASK, Launch, end_group

_BOOTSTRAP = Path(__file__).with_name("bootstrap.py")
TASK_ROOT, RUNTIME_FOLDER, LAYER_ROOT = "/var/task", "/var/runtime", "/opt"
_CHUNK_BYTES = 1 << 16
_MAX_OUTPUT_BYTES = 4 << 20


@dataclass(frozen=True)
class LaunchConfig:
    """How a function's process is started: with containers, its code and its layers are where AWS has them."""

    python: str
    folder: Path
    environment: Mapping[str, str]
    writes_bytecode: bool = True
    layers: Sequence[Path] = ()
    containers: ContainerRuntime | None = None

    def launch(self, *descriptors: int) -> Launch:
        """The launch of the function's process, which gets descriptors of pipes."""
        words = ["-I" if self.writes_bytecode and not self.containers else "-IB", *map(str, descriptors)]
        if self.containers is None:
            return Launch([self.python, words[0], str(_BOOTSTRAP), *words[1:]])
        mounts = (
            Mount(self.folder, TASK_ROOT),
            Mount(_BOOTSTRAP, f"{RUNTIME_FOLDER}/{_BOOTSTRAP.name}"),
            *(Mount(layer, path) for layer, path in zip(self.layers, layer_paths(len(self.layers)), strict=True)),
        )
        container = self.containers.with_python(Container("lambda", TASK_ROOT, mounts), Path(self.python).parent.parent)
        command = [self.python, words[0], f"{RUNTIME_FOLDER}/{_BOOTSTRAP.name}", *words[1:]]
        return self.containers.launched(container, command)


def layer_paths(count: int) -> list[str]:
    """Where a container has a function's layers: one is /opt, as on AWS, and several are folders of it."""
    return [LAYER_ROOT] if count == 1 else [f"{LAYER_ROOT}/layer-{number}" for number in range(1, count + 1)]


@dataclass(frozen=True)
class HandlerResult:
    """How an invocation ended: with a response, which may be an error; at the timeout; or with the process's exit."""

    body: bytes
    is_error: bool
    output: str
    memory: int
    is_timeout: bool = False
    exit: str = ""

    @property
    def has_ended_process(self) -> bool:
        """Return whether the process cannot be invoked again."""
        return self.is_timeout or bool(self.exit)


class ExecutionEnvironment:
    """A function's process, from its start to its end."""

    def __init__(self, launch: LaunchConfig) -> None:
        self.started_at = self.idle_since = time.monotonic()
        child_events, self._events = os.pipe()
        self._answers, child_answers = os.pipe()
        child_lifeline, self._lifeline = os.pipe()
        self._output, child_output = os.pipe()
        passed = (child_events, child_answers, child_lifeline)
        launched = launch.launch(*passed)
        try:
            with launched.input() as launch_input:
                self._process = subprocess.Popen(  # noqa: S603  # running functions is the purpose
                    list(launched.command),
                    cwd=launch.folder,
                    env=dict(launch.environment),
                    stdin=launch_input,
                    stdout=child_output,
                    stderr=child_output,
                    pass_fds=passed,
                    start_new_session=True,
                    umask=CONTAINER_UMASK,
                )
        finally:
            for descriptor in (*passed, child_output):
                os.close(descriptor)
        for descriptor in (self._events, self._answers, self._output):
            os.set_blocking(descriptor, False)
        self._memory = 0

    @property
    def group(self) -> int:
        """Return the id of its process group."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def wait_until_loaded(self, seconds: float) -> HandlerResult:
        """Wait for the handler's import, and return how it ended."""
        return self._exchange(b"", seconds)

    def invoke(self, request: Mapping[str, Any], body: bytes, seconds: float) -> HandlerResult:
        """Call the handler with an event."""
        head = {**request, "size": len(body), "deadline": time.time() + seconds}
        return self._exchange(json.dumps(head).encode() + b"\n" + body, seconds)

    def kill(self) -> None:
        """Kill the process group at once; a pending invocation returns with the exit."""
        end_group(self._process.pid, signal.SIGKILL)

    def close(self) -> None:
        """Kill the process and close its pipes; only while no invocation is pending."""
        if self._lifeline < 0:
            return
        self.kill()
        self._process.wait()
        for descriptor in (self._events, self._answers, self._lifeline, self._output):
            os.close(descriptor)
        self._lifeline = -1

    def _exchange(self, event: bytes, seconds: float) -> HandlerResult:
        until, trip = time.monotonic() + seconds, _RoundTrip(self._events, self._answers, self._output, event)
        while trip.head is None and not trip.is_closed and (left := until - time.monotonic()) > 0:
            trip.advance(left)
        trip.read_output()
        output = trip.output.decode("utf-8", errors="replace")
        if trip.head is not None:
            self._memory = trip.head["memory"]
            return HandlerResult(trip.body, trip.head["error"], output, self._memory)
        if trip.is_closed:
            self._wait_for_exit(until)
        if trip.is_closed and not self.is_alive:
            return HandlerResult(b"", True, output, self._memory, exit=_exit_reason(self._process.wait()))
        return HandlerResult(b"", True, output, self._memory, is_timeout=True)

    def _wait_for_exit(self, until: float) -> None:
        try:
            self._process.wait(max(0.1, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            return  # the process closed its pipe and goes on: this counts as a timeout


class _RoundTrip:
    """Sends one event to the process, and receives its answer and its output."""

    def __init__(self, events: int, answers: int, output: int, event: bytes) -> None:
        self._events, self._answers, self._output = events, answers, output
        self._unsent = memoryview(event)
        self._received = bytearray()
        self._announced: dict[str, Any] | None = None
        self.output = bytearray()
        self.head: dict[str, Any] | None = None
        self.body = b""
        self.is_closed = False
        self._is_output_open = True

    def advance(self, seconds: float) -> None:
        """Send and receive what is possible, and wait for it at most the given time."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._answers, selectors.EVENT_READ, self._receive)
            if self._is_output_open:
                selector.register(self._output, selectors.EVENT_READ, self.read_output)
            if self._unsent:
                selector.register(self._events, selectors.EVENT_WRITE, self._send)
            for key, _ in selector.select(seconds):
                key.data()

    def _send(self) -> None:
        try:
            self._unsent = self._unsent[os.write(self._events, self._unsent[:_CHUNK_BYTES]) :]
        except BrokenPipeError:
            self._unsent, self.is_closed = memoryview(b""), True

    def _receive(self) -> None:
        chunk = os.read(self._answers, _CHUNK_BYTES)
        self.is_closed = not chunk
        self._received += chunk
        if self._announced is None and b"\n" in self._received:
            line, _, self._received = self._received.partition(b"\n")
            self._announced = json.loads(line)
        if self._announced is not None and len(self._received) >= self._announced["size"]:
            self.head, self.body = self._announced, bytes(self._received)

    def read_output(self) -> None:
        """Read what has been printed so far, and drop what exceeds the limit."""
        try:
            while chunk := os.read(self._output, _CHUNK_BYTES):
                self.output += chunk[: max(0, _MAX_OUTPUT_BYTES - len(self.output))]
            self._is_output_open = False
        except BlockingIOError:
            return


def _exit_reason(code: int) -> str:
    """Return an exit code in AWS's words."""
    if code < 0:
        return f"signal: {signal.Signals(-code).name.removeprefix('SIG').lower().replace('kill', 'killed')}"
    return f"exit status {code}"
