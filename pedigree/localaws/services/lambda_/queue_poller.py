"""Who looks into a queue for a function, and calls it with batches of messages.

What a call deals with is deleted; what it does not comes back when its visibility time-out is over, and the queue's
own redrive policy says how often.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.kernel.clients import Clients
from pedigree.localaws.moto.queues import Queues
from pedigree.localaws.services.events.targets import queue_url
from pedigree.localaws.services.lambda_ import sqs_batches
from pedigree.localaws.services.lambda_.invoker import Invoker
from pedigree.localaws.services.lambda_.sqs_batches import Message

_LOG = logging.getLogger(__name__)
DEFAULT_CONCURRENCY = 5
_MOST_RECEIVED = 10
_LOOK_SECONDS = 1.0
_PAUSE_SECONDS = 1.0


@dataclass(frozen=True)
class EventSourceMapping:
    """A queue whose messages a function gets."""

    id: str
    function: str
    queue: str
    size: int
    window: float = 0.0
    reports_failures: bool = False
    filters: Sequence[Mapping[str, Any]] = field(default_factory=tuple, hash=False)
    at_once: int = DEFAULT_CONCURRENCY


class QueuePoller:
    """Looks into one queue."""

    def __init__(self, mapped: EventSourceMapping, queues: Queues, clients: Clients, invoker: Invoker) -> None:
        self._mapped = mapped
        self._queues = queues
        self._clients = clients
        self._invoker = invoker
        self._complaint = ""
        self._ended = threading.Event()
        self._slots = threading.Semaphore(mapped.at_once)
        self._pool = ThreadPoolExecutor(mapped.at_once, thread_name_prefix=f"batch {mapped.id}")
        self._thread = threading.Thread(target=self._work, name=f"mapping {mapped.id}", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Look no more; what has been received by now is still handed over."""
        self._ended.set()

    def _work(self) -> None:
        name = self._mapped.queue.rpartition(":")[2]
        try:
            while not self._ended.is_set():
                if self._queues.wait(name, _LOOK_SECONDS, self._ended.is_set):
                    self._take(name)
        finally:
            self._pool.shutdown(wait=False)

    def _take(self, name: str) -> None:
        """Hand a batch over as soon as there is a call to spare for it."""
        self._slots.acquire()
        batch: list[Message] = []
        try:
            if not self._ended.is_set():
                self._gather(name, batch)
        except (ServiceError, ClientError, BotoCoreError) as error:
            self._complain("cannot look into its queue", error)
        except Exception:  # noqa: BLE001  # a bug in here must not end the mapping; what was received goes on
            _LOG.exception("the queue %s", self._mapped.queue)
        if batch:
            self._pool.submit(self._hand_over, batch)
        else:
            self._slots.release()
            self._ended.wait(_PAUSE_SECONDS)  # messages that nobody may have now: a group that is busy, or no rights

    def _gather(self, name: str, batch: list[Message]) -> None:
        """A batch: as many messages as there are, or as come within the window."""
        until = time.monotonic() + self._mapped.window
        while (room := self._mapped.size - len(batch)) > 0:
            received = self._received(min(room, _MOST_RECEIVED))
            batch += received
            if len(received) == _MOST_RECEIVED:
                continue
            left = until - time.monotonic()
            if left <= 0 or not batch or not self._queues.wait(name, left, self._ended.is_set):
                break

    def _received(self, most: int) -> list[Message]:
        """Messages; those that no filter lets through are dealt with already."""
        queue = self._mapped.queue
        told = self._sqs().receive_message(
            QueueUrl=queue_url(self._clients, queue),
            MaxNumberOfMessages=most,
            WaitTimeSeconds=0,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        messages = told.get("Messages", [])
        wanted = [one for one in messages if sqs_batches.is_wanted(one, self._mapped.filters, queue)]
        self._delete([one for one in messages if one not in wanted])
        return wanted

    def _hand_over(self, batch: Sequence[Message]) -> None:
        mapped = self._mapped
        try:
            payload = json.dumps(sqs_batches.event(batch, mapped.queue)).encode()
            invoked = self._invoker.invoke(mapped.function, payload)
            if not invoked.error:
                self._delete(sqs_batches.done(batch, invoked.body, reports_failures=mapped.reports_failures))
        except (ServiceError, ClientError, BotoCoreError) as error:
            self._complain("could not hand a batch over", error)
        except Exception:  # noqa: BLE001  # a bug in here is one batch's, which comes again; the log has all of it
            _LOG.exception("a batch of %s", mapped.queue)
        finally:
            self._slots.release()

    def _delete(self, messages: Sequence[Message]) -> None:
        for start in range(0, len(messages), _MOST_RECEIVED):
            entries = [
                {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]}
                for number, message in enumerate(messages[start : start + _MOST_RECEIVED])
            ]
            self._sqs().delete_message_batch(QueueUrl=queue_url(self._clients, self._mapped.queue), Entries=entries)

    def _sqs(self) -> Any:
        """A client in the name of the function's role."""
        return self._clients("sqs", self._invoker.book.find(self._mapped.function).taking)

    def _complain(self, what: str, error: Exception) -> None:
        """Say what is wrong, once for as long as it is."""
        words = f"the mapping of {self._mapped.queue} to {self._mapped.function} {what}: {error}"
        if not self._ended.is_set() and words != self._complaint:
            self._complaint = words
            _LOG.warning(words)
