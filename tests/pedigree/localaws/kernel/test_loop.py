"""Rounds: looked at again when woken, and ended at once whenever that is asked for."""

from __future__ import annotations

import threading

import pytest

from pedigree.localaws.kernel.loop import Rounds

PATIENCE_SECONDS = 20.0
HOUR = 3600.0


class Mark(threading.Event):
    """A mark, in whose taking away a test may meddle."""

    def __init__(self) -> None:
        super().__init__()
        self.is_met, self.may_go_on = threading.Event(), threading.Event()

    def clear(self) -> None:
        self.is_met.set()
        assert self.may_go_on.wait(PATIENCE_SECONDS)
        super().clear()


def test_rounds_that_are_ended_just_before_a_look_end_at_once() -> None:
    mark, looks = Mark(), list[str]()

    def look() -> float:
        looks.append("look")
        return HOUR

    rounds = Rounds("rounds", look, mark)
    rounds.begin()
    assert mark.is_met.wait(PATIENCE_SECONDS)
    ending = threading.Thread(target=rounds.end, daemon=True)
    ending.start()
    assert mark.wait(PATIENCE_SECONDS)
    mark.may_go_on.set()
    ending.join(PATIENCE_SECONDS)
    assert (ending.is_alive(), looks) == (False, [])


@pytest.mark.parametrize("faults", [[], [ArithmeticError("a bug")]])
def test_what_happens_during_a_look_is_looked_at_even_if_the_look_fails(faults: list[Exception]) -> None:
    looks, has_looked_again = list[str](), threading.Event()

    def look() -> float:
        looks.append("look")
        if len(looks) > 1:
            has_looked_again.set()
            return HOUR
        rounds.wake()
        for fault in faults:
            raise fault
        return HOUR

    rounds = Rounds("rounds", look)
    rounds.begin()
    assert has_looked_again.wait(PATIENCE_SECONDS)
    rounds.end()
