"""Polls AWS for a bounded time, and tolerates an AWS that does not answer for a while."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from pedigree.account.errors import TransientError
from pedigree.account.times import took
from pedigree.clock import Clock

Answer = TypeVar("Answer")

# How long AWS may not answer before that is an error.
_TOLERATED_SECONDS = 600.0
_RETRY_SECONDS = 5.0


@dataclass(frozen=True)
class PollOptions:
    """How often and how long to poll, and what reports a call without an answer."""

    clock: Clock
    every: float
    at_most: float
    report: Callable[[str], None]


def poll(read: Callable[[], Answer], options: PollOptions) -> Iterator[Answer]:
    """Yields what each call returns, until the time is up."""
    clock = options.clock
    began, unanswered_since = clock.monotonic(), None
    while True:
        try:
            answer = read()
        except TransientError as error:
            now = clock.monotonic()
            unanswered_since = now if unanswered_since is None else unanswered_since
            if now - unanswered_since > _TOLERATED_SECONDS:
                raise
            soon = "" if options.every < 1 else f" in {took(options.every)}"
            options.report(f"no answer, asked again{soon}: {error}")
        else:
            unanswered_since = None
            yield answer
        if clock.monotonic() + options.every > began + options.at_most:
            return
        clock.sleep(options.every)


def retry_unanswered(call: Callable[[], Answer], clock: Clock, report: Callable[[str], None]) -> Answer:
    """Repeats an idempotent call while AWS does not answer."""
    return next(poll(call, PollOptions(clock, _RETRY_SECONDS, float("inf"), report)))
