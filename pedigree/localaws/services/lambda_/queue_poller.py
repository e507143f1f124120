"""Polls a queue and calls a function with batches of messages.

Processed messages are deleted. The others come back after their visibility timeout, as often as the queue's redrive
policy allows.
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
from pedigree.localaws.kernel.clients import Clients, queue_url
from pedigree.localaws.moto.queue_waiter import QueueWaiter
from pedigree.localaws.services.lambda_ import sqs_batches
from pedigree.localaws.services.lambda_.invoker import Invoker
from pedigree.localaws.services.lambda_.sqs_batches import Message

_LOG = logging.getLogger(__name__)
DEFAULT_CONCURRENCY = 5
_MAX_MESSAGES = 10
_POLL_SECONDS = 1.0
_PAUSE_SECONDS = 1.0


@dataclass(frozen=True)
class EventSourceMapping:
    """A queue whose messages a function gets."""

    id: str
    function: str
    queue_arn: str
    batch_size: int
    window_seconds: float = 0.0
    reports_failures: bool = False
    filters: Sequence[Mapping[str, Any]] = field(default_factory=tuple, hash=False)
    concurrency: int = DEFAULT_CONCURRENCY


class QueuePoller:
    """Polls the queue of one mapping in a thread of its own, from its creation on."""

    def __init__(self, mapping: EventSourceMapping, queues: QueueWaiter, clients: Clients, invoker: Invoker) -> None:
        self._mapping = mapping
        self._queues = queues
        self._clients = clients
        self._invoker = invoker
        self._last_warning = ""
        self._stopped = threading.Event()
        self._slots = threading.Semaphore(mapping.concurrency)
        self._pool = ThreadPoolExecutor(mapping.concurrency, thread_name_prefix=f"batch {mapping.id}")
        self._thread = threading.Thread(target=self._run, name=f"mapping {mapping.id}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Poll no more; messages that were received already are still passed to the function."""
        self._stopped.set()

    def _run(self) -> None:
        queue = self._mapping.queue_arn.rpartition(":")[2]
        try:
            while not self._stopped.is_set():
                if self._queues.wait(queue, _POLL_SECONDS, self._stopped.is_set):
                    self._submit_batch(queue)
        finally:
            self._pool.shutdown(wait=False)

    def _submit_batch(self, queue: str) -> None:
        """Receive a batch as soon as an invocation can take it."""
        self._slots.acquire()
        batch: list[Message] = []
        try:
            if not self._stopped.is_set():
                self._collect(queue, batch)
        except (ServiceError, ClientError, BotoCoreError) as error:
            self._warn_once("cannot poll its queue", error)
        except Exception:  # noqa: BLE001  # a bug must not end the mapping; received messages are passed on
            _LOG.exception("the queue %s", self._mapping.queue_arn)
        if batch:
            self._pool.submit(self._invoke, batch)
        else:
            self._slots.release()
            self._stopped.wait(_PAUSE_SECONDS)  # no message can be received now: a busy message group, or no permission

    def _collect(self, queue: str, batch: list[Message]) -> None:
        """Add messages to a batch until it is full, or until its window ends."""
        until = time.monotonic() + self._mapping.window_seconds
        while (room := self._mapping.batch_size - len(batch)) > 0:
            received = self._receive(min(room, _MAX_MESSAGES))
            batch += received
            if len(received) == _MAX_MESSAGES:
                continue
            left = until - time.monotonic()
            if left <= 0 or not batch or not self._queues.wait(queue, left, self._stopped.is_set):
                break

    def _receive(self, max_messages: int) -> list[Message]:
        """Return messages that pass the filters, and delete the others."""
        arn = self._mapping.queue_arn
        response = self._sqs().receive_message(
            QueueUrl=queue_url(self._clients, arn),
            MaxNumberOfMessages=max_messages,
            WaitTimeSeconds=0,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        messages = response.get("Messages", [])
        passing = [message for message in messages if sqs_batches.passes_filters(message, self._mapping.filters, arn)]
        self._delete([message for message in messages if message not in passing])
        return passing

    def _invoke(self, batch: Sequence[Message]) -> None:
        mapping = self._mapping
        try:
            payload = json.dumps(sqs_batches.event(batch, mapping.queue_arn)).encode()
            result = self._invoker.invoke(mapping.function, payload)
            if not result.error:
                self._delete(sqs_batches.processed(batch, result.body, reports_failures=mapping.reports_failures))
        except (ServiceError, ClientError, BotoCoreError) as error:
            self._warn_once("could not process a batch", error)
        except Exception:  # noqa: BLE001  # a bug affects one batch, which comes again; the log has its traceback
            _LOG.exception("a batch of %s", mapping.queue_arn)
        finally:
            self._slots.release()

    def _delete(self, messages: Sequence[Message]) -> None:
        url = queue_url(self._clients, self._mapping.queue_arn)
        for start in range(0, len(messages), _MAX_MESSAGES):
            entries = [
                {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]}
                for number, message in enumerate(messages[start : start + _MAX_MESSAGES])
            ]
            self._sqs().delete_message_batch(QueueUrl=url, Entries=entries)

    def _sqs(self) -> Any:
        """Return a client with the credentials of the function's role."""
        return self._clients("sqs", self._invoker.catalog.find(self._mapping.function).service_role)

    def _warn_once(self, problem: str, error: Exception) -> None:
        """Log a warning, unless it repeats the last one."""
        warning = f"the mapping of {self._mapping.queue_arn} to {self._mapping.function} {problem}: {error}"
        if not self._stopped.is_set() and warning != self._last_warning:
            self._last_warning = warning
            _LOG.warning(warning)
