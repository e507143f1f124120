"""Checks that locks are always taken in the same order: two that are taken in both orders deadlock one day.

A lock is identified by the line that creates it. For as long as the process lives, and over all threads, this module
records which lock is taken while which other is held. A circle among them is a deadlock that has not happened yet; it
is reported with the stack of each side.
"""

from __future__ import annotations

import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from types import FrameType
from typing import Any

_NOT_MAKERS = ("threading", "queue", "dataclasses", "tests.support.lock_order")
_SHOWN_PLACES = 6


class LockOrder:
    """Records which locks are taken while which others are held."""

    def __init__(self) -> None:
        self._taken: dict[str, dict[str, str]] = {}
        self._mine = threading.local()
        self._circles: list[str] = []
        self._guard = _LOCK()

    def take(self, lock: _TrackedLock) -> None:
        """Record that this thread is about to wait for a lock."""
        for earlier in {id(held): held for held in self._held()}.values():
            if earlier is not lock and earlier.maker != lock.maker and lock not in self._held():
                self._note(earlier.maker, lock.maker)

    def have(self, lock: _TrackedLock, times: int = 1) -> None:
        """Record that this thread holds a lock."""
        self._held().extend([lock] * times)

    def leave(self, lock: _TrackedLock) -> None:
        """Record that this thread holds it once less; another thread than its holder may release a lock."""
        if lock in self._held():
            self._held().remove(lock)

    def leave_all(self, lock: _TrackedLock) -> int:
        """Record that this thread no longer holds it; return how often it did."""
        times = self._held().count(lock)
        self._mine.held = [held for held in self._held() if held is not lock]
        return times

    def circles(self) -> list[str]:
        """The circles found since the last call."""
        found, self._circles = self._circles, []
        return found

    def _held(self) -> list[_TrackedLock]:
        if not hasattr(self._mine, "held"):
            self._mine.held = []
        held: list[_TrackedLock] = self._mine.held
        return held

    def _note(self, held: str, taken: str) -> None:
        with self._guard:
            if taken in self._taken.get(held, {}):
                return
            here = "".join(traceback.format_stack(_taker(sys._getframe(1)), _SHOWN_PLACES))
            self._taken.setdefault(held, {})[taken] = here
            for path in self._paths(taken, held):
                there = "\nand elsewhere:\n".join(self._taken[earlier][other] for earlier, other in pairwise(path))
                self._circles.append(f"{taken} is taken while {held} is held:\n{here}\nand elsewhere:\n{there}")

    def _paths(self, start: str, end: str, visited: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
        path = (*visited, start)
        if start == end:
            yield path
            return
        for following in self._taken.get(start, {}):
            if following not in path:
                yield from self._paths(following, end, path)


class _TrackedLock:
    """A lock whose order is recorded."""

    def __init__(self, lock: Any, maker: str, order: LockOrder) -> None:
        self._lock, self.maker, self._order = lock, maker, order

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """Take it; an attempt that cannot wait forever is not part of a circle."""
        if blocking and timeout < 0:
            self._order.take(self)
        is_taken: bool = self._lock.acquire(blocking, timeout)
        if is_taken:
            self._order.have(self)
        return is_taken

    def release(self) -> None:
        """Release it."""
        self._order.leave(self)
        self._lock.release()

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._lock, name)


class _TrackedRLock(_TrackedLock):
    """A reentrant lock, with the methods that a Condition needs."""

    def _release_save(self) -> tuple[Any, int]:
        return self._lock._release_save(), self._order.leave_all(self)

    def _acquire_restore(self, state: tuple[Any, int]) -> None:
        self._order.take(self)
        self._lock._acquire_restore(state[0])
        self._order.have(self, state[1])


@dataclass(frozen=True)
class _LockFactory:
    """Creates locks; an object, because a function that is a class attribute would become a method."""

    package: str
    real: Callable[[], Any]
    watched: type[_TrackedLock]
    order: LockOrder

    def __call__(self) -> Any:
        maker = _maker(sys._getframe(1))
        return self.watched(self.real(), maker, self.order) if maker.startswith(f"{self.package}.") else self.real()


_LOCK, _RLOCK = threading.Lock, threading.RLock


def track(package: str) -> LockOrder:
    """Record the order of all locks that a package creates from now on."""
    order = LockOrder()
    threading.Lock = _LockFactory(package, _LOCK, _TrackedLock, order)  # type: ignore[assignment]
    threading.RLock = _LockFactory(package, _RLOCK, _TrackedRLock, order)  # type: ignore[assignment]
    return order


def _maker(frame: FrameType | None) -> str:
    while frame is not None and frame.f_globals.get("__name__") in _NOT_MAKERS:
        frame = frame.f_back
    return f"{frame.f_globals.get('__name__')}:{frame.f_lineno}" if frame else ""


def _taker(frame: FrameType | None) -> FrameType | None:
    while frame is not None and frame.f_code.co_filename == __file__:
        frame = frame.f_back
    return frame
