"""Polls AWS for a bounded time, and tolerates an AWS that does not answer for a while."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from pedigree.account.errors import PassingError
from pedigree.account.times import took
from pedigree.clock import Clock

Seen = TypeVar("Seen")

# How long nothing need be answered before that is told as an error.
_BORNE_SECONDS = 600.0
_INSISTING_SECONDS = 5.0


@dataclass(frozen=True)
class Watch:
    """How often and how long to poll, and what prints that there was no answer."""

    clock: Clock
    every: float
    at_most: float
    tell: Callable[[str], None]


def looks(look: Callable[[], Seen], watch: Watch) -> Iterator[Seen]:
    """Yields what each poll returns, until the time is up."""
    began, lost = watch.clock.monotonic(), None
    while True:
        try:
            seen = look()
        except PassingError as fault:
            now = watch.clock.monotonic()
            lost = now if lost is None else lost
            if now - lost > _BORNE_SECONDS:
                raise
            watch.tell(f"no answer, asked again in {took(watch.every)}: {fault}")
        else:
            lost = None
            yield seen
        if watch.clock.monotonic() + watch.every > began + watch.at_most:
            return
        watch.clock.sleep(watch.every)


def insist(act: Callable[[], Seen], clock: Clock, tell: Callable[[str], None]) -> Seen:
    """Repeats an idempotent call while AWS does not answer."""
    return next(looks(act, Watch(clock, _INSISTING_SECONDS, float("inf"), tell)))
