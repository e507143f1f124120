"""SQS, as moto keeps it, with patience: who waits for a message holds nobody else up.

moto answers one request at a time here, and would wait for messages inside of it. So waiting is done outside: until
there is a message that can be received, or the time is over; only then is moto asked.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable

from pedigree.localaws.http.protocol import parser as reading
from pedigree.localaws.moto.services import Environ, Records, StartResponse

_SERVICE = "sqs"
_RECEIVE = "ReceiveMessage"
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
        """Answer a request, after as much patience as it asks for; moto itself is let have none."""
        if environ["localaws.operation"] == _RECEIVE:
            self._wait_for(environ)
        return self._records(environ, start_response)

    def wait(self, name: str, seconds: float, is_over: Callable[[], bool] = lambda: False, *, region: str = "") -> bool:
        """Wait until a queue of a region, if not of this one, has a message that can be received; whether it has."""
        until = time.monotonic() + seconds
        while not is_over():
            seen = self._changes
            if self._has_messages(name, region or self._region):
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

    def _has_messages(self, name: str, region: str) -> bool:
        with self._records.held(_SERVICE, region) as backend:
            queue = backend.queues.get(name)
            return queue is not None and bool(queue.messages)

    def _wait_for(self, environ: Environ) -> None:
        """Wait as a request asks for, whichever protocol it speaks, if it can be waited for at all."""
        call = reading.read(environ)
        if call is None:
            return
        name = str(call.members.get("QueueUrl") or environ.get("PATH_INFO", "")).rpartition("/")[2]
        usual = self._usual_wait(name, call.region)
        asked = call.members.get("WaitTimeSeconds", usual)
        seconds = int(asked) if str(asked).isdecimal() else 0
        if usual is not None and 0 < seconds <= _LONGEST_WAIT:
            self.wait(name, seconds, region=call.region)

    def _usual_wait(self, name: str, region: str) -> int | None:
        """How long a queue is waited for by who does not say; None if there is none of that name."""
        try:
            with self._records.held(_SERVICE, region) as backend:
                queue = backend.queues.get(name)
        except KeyError:
            return None  # there is no such region
        return int(queue.receive_message_wait_time_seconds) if queue is not None else None
