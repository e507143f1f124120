"""WakeableLoop: a wake() is never missed, and stop() ends the loop at once, whenever it comes."""

from __future__ import annotations

import threading

import pytest

from pedigree.localaws.kernel.loop import WakeableLoop

TIMEOUT_SECONDS = 60.0
HOUR = 3600.0


class BlockingEvent(threading.Event):
    """Blocks in clear() until the test lets it go on."""

    def __init__(self) -> None:
        super().__init__()
        self.is_clearing, self.may_clear = threading.Event(), threading.Event()

    def clear(self) -> None:
        self.is_clearing.set()
        assert self.may_clear.wait(TIMEOUT_SECONDS)
        super().clear()


def test_a_loop_that_is_stopped_just_before_a_step_ends_without_it() -> None:
    woken, steps = BlockingEvent(), list[str]()

    def step() -> float:
        steps.append("step")
        return HOUR

    loop = WakeableLoop("loop", step, woken)
    loop.start()
    assert woken.is_clearing.wait(TIMEOUT_SECONDS)
    stopping = threading.Thread(target=loop.stop, daemon=True)
    stopping.start()
    assert woken.wait(TIMEOUT_SECONDS)
    woken.may_clear.set()
    stopping.join(TIMEOUT_SECONDS)
    assert (stopping.is_alive(), steps) == (False, [])


@pytest.mark.parametrize("faults", [[], [ArithmeticError("a bug")]])
def test_a_wake_during_a_step_leads_to_another_step_even_if_the_first_one_fails(faults: list[Exception]) -> None:
    steps, has_second_step = list[str](), threading.Event()

    def step() -> float:
        steps.append("step")
        if len(steps) > 1:
            has_second_step.set()
            return HOUR
        loop.wake()
        for fault in faults:
            raise fault
        return HOUR

    loop = WakeableLoop("loop", step)
    loop.start()
    assert has_second_step.wait(TIMEOUT_SECONDS)
    loop.stop()
