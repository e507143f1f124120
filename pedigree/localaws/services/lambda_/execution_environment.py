"""An execution environment: a process that has loaded a function and is called again and again, one call at a time.

Whoever calls waits for the answer, reads what the function prints meanwhile, and ends the process with all that it
started when the time is over. What was printed before an answer is read before it is handed on, so that every line
belongs to its call.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pedigree.localaws.kernel.processes import end_group

_BOOTSTRAP = Path(__file__).with_name("bootstrap.py")
_CHUNK = 1 << 16
_MOST_OUTPUT = 4 << 20


@dataclass(frozen=True)
class LaunchConfig:
    """What a process is started with."""

    python: str
    folder: Path
    environment: Mapping[str, str]
    keeps_compiled: bool = True


@dataclass(frozen=True)
class HandlerResult:
    """How a call ended: with a body, which may be an error's; out of time; or with the end of the process."""

    body: bytes
    is_error: bool
    output: str
    memory: int
    is_late: bool = False
    exit: str = ""

    @property
    def is_over(self) -> bool:
        """Whether the process cannot be called again."""
        return self.is_late or bool(self.exit)


class ExecutionEnvironment:
    """A function's process, from its start to its end."""

    def __init__(self, launch: LaunchConfig) -> None:
        self.began = self.idle_since = time.monotonic()
        theirs_in, self._events = os.pipe()
        self._answers, theirs_out = os.pipe()
        theirs_life, self._life = os.pipe()
        self._output, theirs_output = os.pipe()
        given = (theirs_in, theirs_out, theirs_life)
        try:
            self._process = subprocess.Popen(  # noqa: S603  # running functions is what this is for
                [launch.python, "-I" if launch.keeps_compiled else "-IB", str(_BOOTSTRAP), *map(str, given)],
                cwd=launch.folder,
                env=dict(launch.environment),
                stdin=subprocess.DEVNULL,
                stdout=theirs_output,
                stderr=theirs_output,
                pass_fds=given,
                start_new_session=True,
            )
        finally:
            for end in (*given, theirs_output):
                os.close(end)
        for end in (self._events, self._answers, self._output):
            os.set_blocking(end, False)
        self._memory = 0

    @property
    def group(self) -> int:
        """Its process group."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether it can be called."""
        return self._process.poll() is None

    def ready(self, seconds: float) -> HandlerResult:
        """Wait until the handler is loaded."""
        return self._answer(b"", seconds)

    def call(self, call: Mapping[str, Any], body: bytes, seconds: float) -> HandlerResult:
        """Call the handler with an event."""
        head = {**call, "size": len(body), "deadline": time.time() + seconds}
        return self._answer(json.dumps(head).encode() + b"\n" + body, seconds)

    def kill(self) -> None:
        """End the process and whatever it started, at once; whoever waits for an answer hears of it."""
        end_group(self._process.pid, signal.SIGKILL)

    def end(self) -> None:
        """The same, when nobody waits for an answer any more; nothing of it is left."""
        if self._life < 0:
            return
        self.kill()
        self._process.wait()
        for end in (self._events, self._answers, self._life, self._output):
            os.close(end)
        self._life = -1

    def _answer(self, event: bytes, seconds: float) -> HandlerResult:
        until, exchange = time.monotonic() + seconds, _RoundTrip(self._events, self._answers, self._output, event)
        while exchange.head is None and not exchange.is_closed and (left := until - time.monotonic()) > 0:
            exchange.go_on(left)
        exchange.read_output()
        printed = exchange.printed.decode("utf-8", errors="replace")
        if exchange.head is not None:
            self._memory = exchange.head["memory"]
            return HandlerResult(exchange.body, exchange.head["error"], printed, self._memory)
        if exchange.is_closed:
            self._await_exit(until)
        if exchange.is_closed and not self.is_alive:
            return HandlerResult(b"", True, printed, self._memory, exit=_exit(self._process.wait()))
        return HandlerResult(b"", True, printed, self._memory, is_late=True)

    def _await_exit(self, until: float) -> None:
        try:
            self._process.wait(max(0.1, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            return  # it closed its pipe and goes on: that is a call out of time


class _RoundTrip:
    """One event on its way to the process, and the answer on its way back."""

    def __init__(self, events: int, answers: int, output: int, event: bytes) -> None:
        self._events, self._answers, self._output = events, answers, output
        self._to_send = memoryview(event)
        self._received = bytearray()
        self._announced: dict[str, Any] | None = None
        self.printed = bytearray()
        self.head: dict[str, Any] | None = None
        self.body = b""
        self.is_closed = False
        self._output_is_open = True

    def go_on(self, seconds: float) -> None:
        """Send and receive what can be, and wait no longer than that for it."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._answers, selectors.EVENT_READ, self._receive)
            if self._output_is_open:
                selector.register(self._output, selectors.EVENT_READ, self.read_output)
            if self._to_send:
                selector.register(self._events, selectors.EVENT_WRITE, self._send)
            for key, _ in selector.select(seconds):
                key.data()

    def _send(self) -> None:
        try:
            self._to_send = self._to_send[os.write(self._events, self._to_send[:_CHUNK]) :]
        except BrokenPipeError:
            self._to_send, self.is_closed = memoryview(b""), True

    def _receive(self) -> None:
        chunk = os.read(self._answers, _CHUNK)
        self.is_closed = not chunk
        self._received += chunk
        if self._announced is None and b"\n" in self._received:
            line, _, self._received = self._received.partition(b"\n")
            self._announced = json.loads(line)
        if self._announced is not None and len(self._received) >= self._announced["size"]:
            self.head, self.body = self._announced, bytes(self._received)

    def read_output(self) -> None:
        """Read what was printed so far; what is more than anybody reads is let go."""
        try:
            while chunk := os.read(self._output, _CHUNK):
                self.printed += chunk[: max(0, _MOST_OUTPUT - len(self.printed))]
            self._output_is_open = False
        except BlockingIOError:
            return


def _exit(code: int) -> str:
    """How a process ended, as AWS says it."""
    if code < 0:
        return f"signal: {signal.Signals(-code).name.removeprefix('SIG').lower().replace('kill', 'killed')}"
    return f"exit status {code}"
