"""Wakes threads that wait for a change of state."""

from __future__ import annotations

import threading


class ChangeSignal:
    """Wakes every waiting thread, and misses no change between two waits of the same thread."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._changes = 0
        self._last_wait = threading.local()

    def wake(self) -> None:
        """Announce a change."""
        with self._condition:
            self._changes += 1
            self._condition.notify_all()

    def wait(self, seconds: float) -> bool:
        """Wait for a change since this thread's last wait, at most for the given time; whether there was one."""
        changes = getattr(self._last_wait, "changes", 0)
        with self._condition:
            has_changed = self._condition.wait_for(lambda: self._changes != changes, seconds)
            self._last_wait.changes = self._changes
        return has_changed
