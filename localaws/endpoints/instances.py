"""One instance: a model server's process, from its start to its end, and the connections to it."""

from __future__ import annotations

import http.client
import json
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from localaws.errors import LocalAwsError
from localaws.jobs.processes import end_group

_SERVER = Path(__file__).parent / "model_server.py"
_PING_SECONDS = 0.05
START_SECONDS = 180.0
_ANSWER_SECONDS = 60.0
_GRACE_SECONDS = 5.0
Hear = Callable[[str], None]


class InstanceError(LocalAwsError):
    """An instance that does not come up, or does not answer."""


@dataclass(frozen=True)
class Recipe:
    """What an instance runs: a Python, a model's folder, an environment, and who hears what it says."""

    python: str
    model: Path
    environment: Mapping[str, str]
    hear: Hear


@dataclass(frozen=True)
class Reply:
    """What a model server answered, and how long it took."""

    status: int
    content_type: str
    content: bytes
    seconds: float


class Instance:
    """A model server."""

    def __init__(self, recipe: Recipe) -> None:
        command = [recipe.python, str(_SERVER), str(recipe.model)]
        self._process = subprocess.Popen(  # noqa: S603  # running a model's code is what this is for
            command,
            cwd=recipe.model,
            env=dict(recipe.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._hear = recipe.hear
        self._last_words: list[str] = []
        self._port = self._first_line()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._idle: list[http.client.HTTPConnection] = []
        self._lock = threading.Lock()
        self.busy = 0

    @property
    def process(self) -> int:
        """The process's id, which is its group's, too."""
        return self._process.pid

    def is_alive(self) -> bool:
        """Whether it runs."""
        return self._process.poll() is None

    def wait_until_ready(self, is_wanted: Callable[[], bool], seconds: float = START_SECONDS) -> None:
        """Wait until the model answers pings; InstanceError if it never does."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and is_wanted():
            if not self.is_alive():
                self._reader.join()
                raise InstanceError(f"The primary container did not pass the ping health check: {self._said()}")
            if self._port and self._ping():
                return
            time.sleep(_PING_SECONDS)
        raise InstanceError(f"The primary container did not pass the ping health check in {seconds:.0f} seconds")

    def invoke(self, body: bytes, headers: Mapping[str, str]) -> Reply:
        """Ask the model; InstanceError if there is nobody who answers."""
        started = time.perf_counter()
        connection = self._connection()
        try:
            connection.request("POST", "/invocations", body, dict(headers))
            answer = connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise InstanceError(f"the model server went away: {error!r}") from error
        with self._lock:
            self._idle.append(connection)
        kind = answer.getheader("Content-Type", "application/octet-stream")
        return Reply(answer.status, kind, content, time.perf_counter() - started)

    def end(self) -> None:
        """End the process, at first politely."""
        end_group(self._process.pid, signal.SIGTERM)
        try:
            self._process.wait(_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            end_group(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._reader.join()
        with self._lock:
            for connection in self._idle:
                connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        return http.client.HTTPConnection("127.0.0.1", self._port, timeout=_ANSWER_SECONDS)

    def _ping(self) -> bool:
        connection = self._connection()
        try:
            connection.request("GET", "/ping")
            return connection.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _first_line(self) -> int:
        """The port, which is the first thing that the server says; 0 if it says something else."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline().decode(errors="replace")
        try:
            return int(json.loads(line)["port"])
        except (ValueError, TypeError, KeyError):
            self._last_words.append(line.strip())
            return 0

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as output:
            for line in output:
                text = line.decode(errors="replace").rstrip()
                self._last_words = [*self._last_words[-9:], text]
                self._hear(text)

    def _said(self) -> str:
        return next((line for line in reversed(self._last_words) if line.strip()), "it said nothing")[:512]
