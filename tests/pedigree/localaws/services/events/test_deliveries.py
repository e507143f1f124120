"""Deliveries: tried again after a while, given up in the end, and kept all the while."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pedigree.localaws.kernel.store import Document, Store
from pedigree.localaws.kernel.world import SystemClock
from pedigree.localaws.services.events import deliveries
from pedigree.localaws.services.events.deliveries import (
    DeliveryFailedError,
    DeliveryPostponedError,
    DeliveryQueue,
    RetriesExhausted,
    new_delivery,
)

PATIENCE_SECONDS = 60.0


class Receiver:
    """Somebody who takes what is brought, or does what a test wants."""

    def __init__(self, *outcomes: Exception) -> None:
        self.outcomes = list(outcomes)
        self.tries: list[str] = []
        self.refusals: list[RetriesExhausted] = []
        self.heard = threading.Condition()

    def bring(self, name: str, _delivery: Document) -> None:
        with self.heard:
            self.tries.append(name)
            self.heard.notify_all()
            if self.outcomes:
                raise self.outcomes.pop(0)

    def give_up(self, _name: str, _delivery: Document, refusal: RetriesExhausted) -> None:
        with self.heard:
            self.refusals.append(refusal)
            self.heard.notify_all()

    def until(self, look: Callable[[], bool]) -> None:
        with self.heard:
            assert self.heard.wait_for(look, PATIENCE_SECONDS)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "state.sqlite")
    yield opened
    opened.close()


class Standing(Receiver):
    """Somebody who lets everybody wait for as long as a test wants."""

    def __init__(self) -> None:
        super().__init__()
        self.may_go_on = threading.Event()

    def bring(self, name: str, delivery: Document) -> None:
        super().bring(name, delivery)
        assert self.may_go_on.wait(PATIENCE_SECONDS)


class FullOnce(Store):
    """A memory that can keep nothing for a moment."""

    has_failed = False

    def put(self, kind: str, name: str, body: Document) -> None:
        if body["tries"] and not self.has_failed:
            self.has_failed = True
            raise OSError("No space left on device")
        super().put(kind, name, body)


def test_what_cannot_be_noted_is_brought_again_all_the_same(tmp_path: Path) -> None:
    store, receiver = FullOnce(tmp_path / "state.sqlite"), Receiver(DeliveryFailedError("No", "not yet"))
    with bringing(store, receiver) as working:
        working.add(new_delivery("way", working.now()))
        receiver.until(lambda: len(receiver.tries) == 2)
    assert store.has_failed


def test_what_comes_before_the_work_begins_is_brought_once(store: Store) -> None:
    standing, receiver = Standing(), Receiver()
    working = DeliveryQueue(store, SystemClock(), lambda: {"slow": standing, "way": receiver})
    working.add(new_delivery("slow", working.now()))
    working.begin()
    standing.until(lambda: bool(standing.tries))
    working.add(new_delivery("way", working.now()))
    receiver.until(lambda: len(receiver.tries) == 1)
    assert len(standing.tries) == 1
    standing.may_go_on.set()
    working.end()


def test_those_who_wait_on_one_way_hold_up_nobody_on_another(store: Store) -> None:
    standing, receiver = Standing(), Receiver()
    working = DeliveryQueue(store, SystemClock(), lambda: {"slow": standing, "way": receiver}, {"slow": 3})
    working.begin()
    for _ in range(50):
        working.add(new_delivery("slow", working.now()))
    standing.until(lambda: len(standing.tries) == 3)
    working.add(new_delivery("way", working.now()))
    receiver.until(lambda: len(receiver.tries) == 1)
    standing.may_go_on.set()
    standing.until(lambda: len(standing.tries) == 50)
    working.end()


@contextmanager
def bringing(store: Store, receiver: Receiver) -> Iterator[DeliveryQueue]:
    working = DeliveryQueue(store, SystemClock(), lambda: {"way": receiver})
    working.begin()
    yield working
    working.end()


def settle(store: Store) -> None:
    """Wait until nothing is left to bring."""
    waiting = threading.Event()
    for _ in range(1000):
        if not store.entries(deliveries.KIND):
            return
        waiting.wait(0.01)
    raise AssertionError(store.entries(deliveries.KIND))


def test_what_is_not_taken_is_brought_again(store: Store) -> None:
    receiver = Receiver(DeliveryFailedError("Busy", "later"))
    with bringing(store, receiver) as working:
        name = working.add(new_delivery("way", working.now()))
        receiver.until(lambda: len(receiver.tries) == 2)
        settle(store)
    assert receiver.tries == [name, name]
    assert receiver.refusals == []


def test_what_was_tried_often_enough_is_given_up(store: Store) -> None:
    receiver = Receiver(DeliveryFailedError("Busy", "later"))
    with bringing(store, receiver) as working:
        working.add(new_delivery("way", working.now(), most=0))
        receiver.until(lambda: bool(receiver.refusals))
        settle(store)
    assert receiver.refusals == [RetriesExhausted("Busy", "later", "MaximumRetryAttempts", 0)]


def test_what_is_too_old_is_given_up(store: Store) -> None:
    receiver = Receiver(DeliveryFailedError("Busy", "later"))
    with bringing(store, receiver) as working:
        working.add(new_delivery("way", working.now(), seconds=0.5))
        receiver.until(lambda: bool(receiver.refusals))
    assert receiver.refusals == [RetriesExhausted("Busy", "later", "MaximumEventAgeInSeconds", 0)]


def test_what_will_never_be_taken_is_given_up_at_once(store: Store) -> None:
    receiver = Receiver(DeliveryFailedError("Gone", "never", is_final=True))
    with bringing(store, receiver) as working:
        working.add(new_delivery("way", working.now()))
        receiver.until(lambda: bool(receiver.refusals))
    assert len(receiver.tries) == 1


def test_no_room_is_no_try(store: Store) -> None:
    receiver = Receiver(DeliveryPostponedError())
    with bringing(store, receiver) as working:
        working.add(new_delivery("way", working.now(), most=0))
        receiver.until(lambda: len(receiver.tries) == 2)
        settle(store)
    assert receiver.refusals == []


def test_what_nobody_brought_is_brought_by_the_next(store: Store) -> None:
    name = DeliveryQueue(store, SystemClock(), dict).add(new_delivery("way", 0.0))
    receiver = Receiver()
    with bringing(store, receiver):
        receiver.until(lambda: receiver.tries == [name])
        settle(store)
