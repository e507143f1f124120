"""Whoever waits for changes hears of every one, however many wait."""

from __future__ import annotations

import threading

from pedigree.localaws.kernel.world import Signal

PATIENCE_SECONDS = 60.0


def test_each_waiting_thread_hears_of_a_change_that_came_before_it_waited() -> None:
    signal, heard = Signal(), list[str]()

    def wait(name: str) -> None:
        signal.wait(PATIENCE_SECONDS)
        heard.append(name)

    signal.wake()
    for name in ("first", "second"):
        waiting = threading.Thread(target=wait, args=(name,))
        waiting.start()
        waiting.join(PATIENCE_SECONDS / 2)
    assert heard == ["first", "second"]


def test_a_change_is_heard_of_once() -> None:
    signal, changes = Signal(), list[str]()

    def change() -> None:
        changes.append("second")
        signal.wake()

    signal.wake()
    signal.wait(PATIENCE_SECONDS)
    later = threading.Timer(0.05, change)
    later.start()
    signal.wait(PATIENCE_SECONDS)
    assert changes == ["second"]
    later.join()
