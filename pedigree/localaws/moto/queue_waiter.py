"""Waits for messages in moto's queues, without blocking other requests.

moto answers one request at a time here, and would wait for messages inside of it. So waiting is done outside: until
there is a message that can be received, or the time is over; only then is moto asked.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from pedigree.localaws.moto.backends import MotoBackends

_SERVICE = "sqs"
_LOOK_SECONDS = 0.25


class QueueWaiter:
    """Waits until a queue has a message that can be received."""

    def __init__(self, backends: MotoBackends, region: str) -> None:
        self._backends = backends
        self._region = region
        self._changes = 0
        self._changed = threading.Condition()
        backends.on_change(self._on_change)

    def wait(self, name: str, seconds: float, is_over: Callable[[], bool] = lambda: False, *, region: str = "") -> bool:
        """Wait until a queue has a message that can be received; whether it has. Without a region: the local AWS's."""
        until = time.monotonic() + seconds
        while not is_over():
            changes = self._changes
            if self._has_messages(name, region or self._region):
                return True
            left = until - time.monotonic()
            if left <= 0:
                return False
            with self._changed:
                self._changed.wait_for(lambda before=changes: self._changes != before, min(left, _LOOK_SECONDS))  # type: ignore[misc]
        return False

    def wake(self) -> None:
        """Let everything that waits look again."""
        self._on_change(_SERVICE)

    def _on_change(self, service: str) -> None:
        if service == _SERVICE:
            with self._changed:
                self._changes += 1
                self._changed.notify_all()

    def _has_messages(self, name: str, region: str) -> bool:
        with self._backends.backend(_SERVICE, region) as backend:
            queue = backend.queues.get(name)
            return queue is not None and bool(queue.messages)

    def default_wait(self, name: str, region: str) -> int | None:
        """The default wait of a queue's receivers; None if the queue does not exist."""
        try:
            with self._backends.backend(_SERVICE, region) as backend:
                queue = backend.queues.get(name)
        except KeyError:
            return None  # there is no such region
        return int(queue.receive_message_wait_time_seconds) if queue is not None else None
