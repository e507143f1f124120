"""A persistent queue of deliveries: each is retried until it succeeds or its retries are exhausted.

Events for targets, schedules that have fired and asynchronous invocations are all deliveries. Each is attempted as
soon as it is due, and again after a wait that doubles. A daemon that was killed repeats what it had begun: deliveries
arrive at least once, as AWS promises, and not exactly once. AWS waits minutes between attempts; for a developer who is
watching, the first retry comes after a second.
"""

from __future__ import annotations

import heapq
import logging
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

from pedigree.clock import Clock
from pedigree.localaws.kernel.store import Document, DocumentNotFoundError, Store

_LOG = logging.getLogger(__name__)
KIND = "delivery"
_DEFAULT_CONCURRENCY = 16
_FIRST_WAIT_SECONDS = 1.0
_MAX_WAIT_SECONDS = 60.0
_SECONDS_AFTER_FAILED_WRITE = 1.0
MAX_RETRY_ATTEMPTS = "MaximumRetryAttempts"
MAX_EVENT_AGE = "MaximumEventAgeInSeconds"
DAY = 86400.0
MAX_RETRIES = 185


class DeliveryFailedError(Exception):
    """An attempt failed; is_final means that no other attempt can succeed."""

    def __init__(self, code: str, message: str, *, is_final: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.is_final = is_final


class DeliveryPostponedError(Exception):
    """The receiver has no capacity now; this does not count as an attempt."""


@dataclass(frozen=True)
class RetriesExhausted:
    """Why a delivery is given up: the last error, the limit that was reached, and the number of retries."""

    code: str
    message: str
    condition: str
    retries: int


class DeliveryChannel(Protocol):
    """Carries out the deliveries of one kind."""

    def deliver(self, delivery_id: str, delivery: Document) -> None:
        """Make one attempt; raise DeliveryFailedError or DeliveryPostponedError if it does not succeed."""
        ...

    def give_up(self, delivery_id: str, delivery: Document, reason: RetriesExhausted) -> None:
        """Report a delivery that will not be attempted again, for example to a dead-letter queue."""
        ...


@dataclass(frozen=True)
class _Registration:
    channel: DeliveryChannel
    pool: ThreadPoolExecutor


def new_delivery(
    channel: str, now: float, *, max_retries: int = MAX_RETRIES, max_age: float = DAY, **members: Any
) -> dict[str, Any]:
    """Return a delivery that is due at once."""
    limits = {"until": now + max_age, "most": max_retries}
    return {"way": channel, "due": now, **limits, "tries": 0, "waits": 0, **members}


class DeliveryQueue:
    """Attempts what is due; each channel has threads of its own, so that a slow one blocks no other."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._channels: dict[str, _Registration] = {}
        self._due: list[tuple[float, str, str]] = []
        self._scheduled: set[str] = set()
        self._changed = threading.Condition()
        self._is_stopped = False
        self._thread = threading.Thread(target=self._run, name="deliveries", daemon=True)

    def add_channel(self, name: str, channel: DeliveryChannel, concurrency: int = _DEFAULT_CONCURRENCY) -> None:
        """Register a channel, before the queue is started."""
        self._channels[name] = _Registration(channel, ThreadPoolExecutor(concurrency, thread_name_prefix=f"{name} "))

    def start(self) -> None:
        """Continue with the deliveries of an earlier daemon, and attempt new ones."""
        for entry in self._store.entries(KIND):
            self._schedule(entry.name, entry.body)
        self._thread.start()

    def stop(self) -> None:
        """Stop; the next daemon attempts what has not arrived."""
        with self._changed:
            self._is_stopped = True
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join()
        for registration in self._channels.values():
            registration.pool.shutdown(wait=False, cancel_futures=True)

    def add(self, delivery: Document, delivery_id: str = "") -> str:
        """Store a delivery, attempt it when it is due, and return its id."""
        delivery_id = delivery_id or str(uuid.uuid4())
        self._store.put(KIND, delivery_id, delivery)
        self._schedule(delivery_id, delivery)
        return delivery_id

    def now(self) -> float:
        return self._clock.now().timestamp()

    def _schedule(self, delivery_id: str, delivery: Document) -> None:
        """Schedule it once: what is added before start() is found in the store as well."""
        with self._changed:
            if delivery_id not in self._scheduled:
                self._scheduled.add(delivery_id)
                heapq.heappush(self._due, (delivery["due"], delivery_id, delivery["way"]))
                self._changed.notify_all()

    def _run(self) -> None:
        with self._changed:
            while not self._is_stopped:
                wait = self._due[0][0] - self.now() if self._due else None
                if wait is None or wait > 0:
                    self._changed.wait(wait)
                else:
                    _, delivery_id, channel = heapq.heappop(self._due)
                    self._scheduled.discard(delivery_id)
                    self._submit(delivery_id, channel)

    def _submit(self, delivery_id: str, channel: str) -> None:
        if channel in self._channels:
            self._channels[channel].pool.submit(self._process, delivery_id, channel)
        else:  # another version has stored it; it must not end the thread for all others
            _LOG.error("delivery %s stays in the store, because the channel %s does not exist", delivery_id, channel)

    def _process(self, delivery_id: str, channel: str) -> None:
        """Attempt a delivery; if its outcome cannot be stored, as on a full disk, repeat it after a while."""
        try:
            self._attempt(delivery_id)
        except Exception:  # noqa: BLE001  # otherwise it would be forgotten until the next start
            if not self._is_stopped:
                _LOG.exception("the outcome of delivery %s cannot be stored", delivery_id)
                self._schedule(delivery_id, {"due": self.now() + _SECONDS_AFTER_FAILED_WRITE, "way": channel})

    def _attempt(self, delivery_id: str) -> None:
        delivery = self._store.find(KIND, delivery_id)
        if delivery is None:
            return
        channel = self._channels[delivery["way"]].channel
        try:
            channel.deliver(delivery_id, delivery)
            self._remove(delivery_id)
        except DeliveryPostponedError:
            self._postpone(delivery_id, delivery, retries=delivery["tries"])
        except DeliveryFailedError as error:
            self._handle_failure(delivery_id, delivery, channel, error)
        except Exception as error:  # noqa: BLE001  # a bug holds up this delivery only, and the log has its traceback
            if not self._is_stopped:
                _LOG.exception("delivery %s", delivery_id)
                failure = DeliveryFailedError("InternalFailure", str(error))
                self._handle_failure(delivery_id, delivery, channel, failure)

    def _handle_failure(
        self, delivery_id: str, delivery: Document, channel: DeliveryChannel, error: DeliveryFailedError
    ) -> None:
        if self._is_stopped:
            return
        retries = delivery["tries"] + 1
        is_too_old = self.now() + _wait_seconds(delivery) > delivery["until"]
        if not error.is_final and retries <= delivery["most"] and not is_too_old:
            self._postpone(delivery_id, delivery, retries=retries)
            return
        condition = MAX_EVENT_AGE if is_too_old and retries <= delivery["most"] else MAX_RETRY_ATTEMPTS
        try:
            channel.give_up(delivery_id, delivery, RetriesExhausted(error.code, error.message, condition, retries - 1))
        except Exception:  # noqa: BLE001  # only the log is left to report it
            _LOG.exception("delivery %s was given up, and this could not be reported", delivery_id)
        self._remove(delivery_id)

    def _postpone(self, delivery_id: str, delivery: Document, retries: int) -> None:
        due = self.now() + _wait_seconds(delivery)
        postponed = {**delivery, "tries": retries, "waits": delivery["waits"] + 1, "due": due}
        self._store.put(KIND, delivery_id, postponed)
        self._schedule(delivery_id, postponed)

    def _remove(self, delivery_id: str) -> None:
        try:
            self._store.remove(KIND, delivery_id)
        except DocumentNotFoundError:
            _LOG.debug("delivery %s was removed already", delivery_id)


def _wait_seconds(delivery: Document) -> float:
    return float(min(_MAX_WAIT_SECONDS, _FIRST_WAIT_SECONDS * 2 ** min(delivery["waits"], 10)))
