"""A background thread that repeats one step, and that can be woken early."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

_LOG = logging.getLogger(__name__)
_SECONDS_AFTER_BUG = 5.0


class WakeableLoop:
    """Calls step() on its own thread; waits as long as it returns, or until wake()."""

    def __init__(self, name: str, step: Callable[[], float], woken: threading.Event | None = None) -> None:
        self._name = name
        self._step = step
        self._woken = woken or threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self.is_stopped = False

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Stop after the current step, and wait for its end."""
        self.is_stopped = True
        self._woken.set()
        if self._thread.is_alive():
            self._thread.join()

    def wake(self) -> None:
        """Call step() again at once."""
        self._woken.set()

    def _run(self) -> None:
        while True:
            self._woken.clear()
            if self.is_stopped:  # checked after clear(), because stop() sets the event last
                return
            try:
                seconds = self._step()
            except Exception:  # noqa: BLE001  # a bug in one step must not end the loop
                _LOG.exception("%s", self._name)
                seconds = _SECONDS_AFTER_BUG
            self._woken.wait(max(0.0, seconds))
