"""Waits for messages in moto's queues, without holding anything up.

moto answers one request at a time here, and would wait for messages inside of it. So waiting is done outside: until
there is a message that can be received, or the time is over; only then is moto asked.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from pedigree.localaws.moto.services import Records

_SERVICE = "sqs"
_LOOK_SECONDS = 0.25


class Queues:
    """The queues of SQS, as those see them who wait for messages."""

    def __init__(self, records: Records, region: str) -> None:
        self._records = records
        self._region = region
        self._changes = 0
        self._changed = threading.Condition()
        records.listen(self._hear)

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

    def default_wait(self, name: str, region: str) -> int | None:
        """How long a queue has its receivers wait that do not say it; None if there is no such queue."""
        try:
            with self._records.held(_SERVICE, region) as backend:
                queue = backend.queues.get(name)
        except KeyError:
            return None  # there is no such region
        return int(queue.receive_message_wait_time_seconds) if queue is not None else None
