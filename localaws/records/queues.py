"""SQS, as moto keeps it, with patience: who waits for a message holds nobody else up.

moto answers one request at a time here, and would wait for messages inside of it. So waiting is done outside: until
there is a message that can be received, or the time is over; only then is moto asked.
"""

from __future__ import annotations

import io
import json
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from localaws.records.services import Environ, Records, StartResponse

_SERVICE = "sqs"
_RECEIVE = "AmazonSQS.ReceiveMessage"
_LOOK_SECONDS = 0.25
_LONGEST_WAIT = 20


class Queues:
    """The queues, and an application that answers for them."""

    def __init__(self, records: Records, region: str) -> None:
        self._records = records
        self._region = region
        self._changes = 0
        self._changed = threading.Condition()
        records.listen(self._hear)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request, after as much patience as it asks for."""
        if environ.get("HTTP_X_AMZ_TARGET") == _RECEIVE:
            self._wait_for(environ)
        return self._records(environ, start_response)

    def wait(self, name: str, seconds: float, is_over: Callable[[], bool] = lambda: False) -> bool:
        """Wait until a queue has a message that can be received; whether it has one."""
        until = time.monotonic() + seconds
        while not is_over():
            seen = self._changes
            if self._has_messages(name):
                return True
            left = until - time.monotonic()
            if left <= 0:
                return False
            with self._changed:
                self._changed.wait_for(lambda known=seen: self._changes != known, min(left, _LOOK_SECONDS))  # type: ignore[misc]
        return False

    def wake(self) -> None:
        """Let everybody look again."""
        self._hear(_SERVICE)

    def _hear(self, service: str) -> None:
        if service == _SERVICE:
            with self._changed:
                self._changes += 1
                self._changed.notify_all()

    def _has_messages(self, name: str) -> bool:
        with self._records.held(_SERVICE, self._region) as backend:
            queue = backend.queues.get(name)
            return queue is not None and bool(queue.messages)

    def _wait_for(self, environ: Environ) -> None:
        """Wait as a request asks for, and let it ask moto for no more patience."""
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        asked = _object(body)
        name = str(asked.get("QueueUrl", "")).rpartition("/")[2]
        seconds = asked.get("WaitTimeSeconds")
        if not isinstance(seconds, int):
            seconds = self._usual_wait(name)
        if 0 < seconds <= _LONGEST_WAIT and self._is_there(name):
            self.wait(name, seconds)
            body = json.dumps({**asked, "WaitTimeSeconds": 0}).encode()
        environ["wsgi.input"], environ["CONTENT_LENGTH"] = io.BytesIO(body), str(len(body))

    def _usual_wait(self, name: str) -> int:
        with self._records.held(_SERVICE, self._region) as backend:
            queue = backend.queues.get(name)
            return int(queue.receive_message_wait_time_seconds) if queue is not None else 0

    def _is_there(self, name: str) -> bool:
        with self._records.held(_SERVICE, self._region) as backend:
            return name in backend.queues


def _object(body: bytes) -> dict[str, Any]:
    try:
        told = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}
