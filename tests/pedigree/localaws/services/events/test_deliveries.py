"""DeliveryQueue: failed deliveries are retried, given up at their limits, and survive the daemon."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pedigree.clock import SystemClock
from pedigree.localaws.kernel.store import Document, Store
from pedigree.localaws.services.events import deliveries
from pedigree.localaws.services.events.deliveries import (
    DeliveryFailedError,
    DeliveryPostponedError,
    DeliveryQueue,
    RetriesExhausted,
    new_delivery,
)

TIMEOUT_SECONDS = 60.0


class RecordingChannel:
    """Records attempts, and fails with the given errors first."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.attempts: list[str] = []
        self.given_up: list[RetriesExhausted] = []
        self.changed = threading.Condition()

    def deliver(self, delivery_id: str, _delivery: Document) -> None:
        with self.changed:
            self.attempts.append(delivery_id)
            self.changed.notify_all()
            if self.errors:
                raise self.errors.pop(0)

    def give_up(self, _delivery_id: str, _delivery: Document, reason: RetriesExhausted) -> None:
        with self.changed:
            self.given_up.append(reason)
            self.changed.notify_all()

    def wait_until(self, condition: Callable[[], bool]) -> None:
        with self.changed:
            assert self.changed.wait_for(condition, TIMEOUT_SECONDS)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "state.sqlite")
    yield opened
    opened.close()


class BlockingChannel(RecordingChannel):
    """Blocks every attempt until the test lets them go on."""

    def __init__(self) -> None:
        super().__init__()
        self.may_go_on = threading.Event()

    def deliver(self, delivery_id: str, delivery: Document) -> None:
        super().deliver(delivery_id, delivery)
        assert self.may_go_on.wait(TIMEOUT_SECONDS)


class OnceFullStore(Store):
    """Fails to write the first retry, as a full disk does."""

    has_failed = False

    def put(self, kind: str, name: str, body: Document) -> None:
        if body["tries"] and not self.has_failed:
            self.has_failed = True
            raise OSError("No space left on device")
        super().put(kind, name, body)


@contextmanager
def started(store: Store, channel: RecordingChannel) -> Iterator[DeliveryQueue]:
    queue = DeliveryQueue(store, SystemClock())
    queue.add_channel("channel", channel)
    queue.start()
    yield queue
    queue.stop()


def wait_until_empty(store: Store) -> None:
    waiting = threading.Event()
    for _ in range(1000):
        if not store.entries(deliveries.KIND):
            return
        waiting.wait(0.01)
    raise AssertionError(store.entries(deliveries.KIND))


def test_a_delivery_whose_failure_cannot_be_stored_is_attempted_again(tmp_path: Path) -> None:
    store, channel = OnceFullStore(tmp_path / "state.sqlite"), RecordingChannel(DeliveryFailedError("No", "not yet"))
    with started(store, channel) as queue:
        queue.add(new_delivery("channel", queue.now()))
        channel.wait_until(lambda: len(channel.attempts) == 2)
    assert store.has_failed


def test_a_delivery_that_is_added_before_the_start_is_attempted_once(store: Store) -> None:
    blocking, channel = BlockingChannel(), RecordingChannel()
    queue = DeliveryQueue(store, SystemClock())
    queue.add_channel("slow", blocking)
    queue.add_channel("channel", channel)
    queue.add(new_delivery("slow", queue.now()))
    queue.start()
    blocking.wait_until(lambda: bool(blocking.attempts))
    queue.add(new_delivery("channel", queue.now()))
    channel.wait_until(lambda: len(channel.attempts) == 1)
    assert len(blocking.attempts) == 1
    blocking.may_go_on.set()
    queue.stop()


def test_a_slow_channel_holds_up_no_other(store: Store) -> None:
    blocking, channel = BlockingChannel(), RecordingChannel()
    queue = DeliveryQueue(store, SystemClock())
    queue.add_channel("slow", blocking, concurrency=3)
    queue.add_channel("channel", channel)
    queue.start()
    for _ in range(50):
        queue.add(new_delivery("slow", queue.now()))
    blocking.wait_until(lambda: len(blocking.attempts) == 3)
    queue.add(new_delivery("channel", queue.now()))
    channel.wait_until(lambda: len(channel.attempts) == 1)
    blocking.may_go_on.set()
    blocking.wait_until(lambda: len(blocking.attempts) == 50)
    queue.stop()


def test_a_failed_delivery_is_attempted_again(store: Store) -> None:
    channel = RecordingChannel(DeliveryFailedError("Busy", "later"))
    with started(store, channel) as queue:
        delivery_id = queue.add(new_delivery("channel", queue.now()))
        channel.wait_until(lambda: len(channel.attempts) == 2)
        wait_until_empty(store)
    assert channel.attempts == [delivery_id, delivery_id]
    assert channel.given_up == []


def test_a_delivery_is_given_up_after_its_maximum_of_retries(store: Store) -> None:
    channel = RecordingChannel(DeliveryFailedError("Busy", "later"))
    with started(store, channel) as queue:
        queue.add(new_delivery("channel", queue.now(), max_retries=0))
        channel.wait_until(lambda: bool(channel.given_up))
        wait_until_empty(store)
    assert channel.given_up == [RetriesExhausted("Busy", "later", "MaximumRetryAttempts", 0)]


def test_a_delivery_is_given_up_at_its_maximum_age(store: Store) -> None:
    channel = RecordingChannel(DeliveryFailedError("Busy", "later"))
    with started(store, channel) as queue:
        queue.add(new_delivery("channel", queue.now(), max_age=0.5))
        channel.wait_until(lambda: bool(channel.given_up))
    assert channel.given_up == [RetriesExhausted("Busy", "later", "MaximumEventAgeInSeconds", 0)]


def test_a_final_failure_is_given_up_at_once(store: Store) -> None:
    channel = RecordingChannel(DeliveryFailedError("Gone", "never", is_final=True))
    with started(store, channel) as queue:
        queue.add(new_delivery("channel", queue.now()))
        channel.wait_until(lambda: bool(channel.given_up))
    assert len(channel.attempts) == 1


def test_a_postponed_delivery_uses_up_no_retry(store: Store) -> None:
    channel = RecordingChannel(DeliveryPostponedError())
    with started(store, channel) as queue:
        queue.add(new_delivery("channel", queue.now(), max_retries=0))
        channel.wait_until(lambda: len(channel.attempts) == 2)
        wait_until_empty(store)
    assert channel.given_up == []


def test_a_delivery_without_a_channel_stays_stored_and_holds_up_no_other(store: Store) -> None:
    store.put(deliveries.KIND, "unknown", new_delivery("renamed", 0.0))
    channel = RecordingChannel()
    with started(store, channel) as queue:
        delivery_id = queue.add(new_delivery("channel", queue.now()))
        channel.wait_until(lambda: channel.attempts == [delivery_id])
    assert "unknown" in [entry.name for entry in store.entries(deliveries.KIND)]


def test_a_delivery_of_an_earlier_daemon_is_attempted_by_the_next(store: Store) -> None:
    delivery_id = DeliveryQueue(store, SystemClock()).add(new_delivery("channel", 0.0))
    channel = RecordingChannel()
    with started(store, channel):
        channel.wait_until(lambda: channel.attempts == [delivery_id])
        wait_until_empty(store)
