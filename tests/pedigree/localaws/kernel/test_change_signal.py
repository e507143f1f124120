"""ChangeSignal: every waiting thread gets every change, however many threads wait."""

from __future__ import annotations

import threading

from pedigree.localaws.kernel.change_signal import ChangeSignal

TIMEOUT_SECONDS = 60.0


def test_each_waiting_thread_gets_a_change_that_came_before_it_waited() -> None:
    signal, woken = ChangeSignal(), list[str]()

    def wait(name: str) -> None:
        signal.wait(TIMEOUT_SECONDS)
        woken.append(name)

    signal.wake()
    for name in ("first", "second"):
        waiting = threading.Thread(target=wait, args=(name,))
        waiting.start()
        waiting.join(TIMEOUT_SECONDS / 2)
    assert woken == ["first", "second"]


def test_a_thread_gets_a_change_once() -> None:
    signal, changes = ChangeSignal(), list[str]()

    def change() -> None:
        changes.append("second")
        signal.wake()

    signal.wake()
    signal.wait(TIMEOUT_SECONDS)
    later = threading.Timer(0.05, change)
    later.start()
    signal.wait(TIMEOUT_SECONDS)
    assert changes == ["second"]
    later.join()
