"""Circles in the order of locks are found and reported."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from tests.support import lock_order
from tests.support.lock_order import LockOrder


@pytest.fixture
def order() -> Iterator[LockOrder]:
    before = threading.Lock, threading.RLock
    yield lock_order.track("tests")
    threading.Lock, threading.RLock = before


def test_one_order_is_no_circle(order: LockOrder) -> None:
    first, second = threading.Lock(), threading.RLock()
    for _ in range(2):
        with first, second, second:
            pass
    assert order.circles() == []


def test_both_orders_are_reported_with_both_places_without_any_wait(order: LockOrder) -> None:
    first = threading.Lock()
    second = threading.RLock()
    with first, second:
        pass
    with second, first:
        pass
    (circle,) = order.circles()
    assert "with first, second" in circle
    assert "with second, first" in circle
    assert order.circles() == []


def test_a_circle_may_be_wider_than_two(order: LockOrder) -> None:
    first = threading.Lock()
    second = threading.Lock()
    third = threading.Lock()
    for held, taken in ((first, second), (second, third), (third, first)):
        with held, taken:
            pass
    assert len(order.circles()) == 1


def test_who_waits_for_a_condition_does_not_hold_its_lock(order: LockOrder) -> None:
    first, changed = threading.Lock(), threading.Condition()
    with changed:
        changed.wait_for(lambda: True)
        changed.wait(0.001)
    with first, changed:
        pass
    with changed:
        changed.wait(0.001)
    with first:
        pass
    assert order.circles() == []


def test_a_try_without_blocking_takes_part_in_no_circle(order: LockOrder) -> None:
    first = threading.Lock()
    second = threading.Lock()
    with first, second:
        pass
    with second:
        assert first.acquire(blocking=False)
        first.release()
    assert order.circles() == []
