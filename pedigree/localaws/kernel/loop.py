"""A thread that looks again whenever something may have changed, and after a while anyway."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

_LOG = logging.getLogger(__name__)
_AFTER_A_BUG = 5.0


class Rounds:
    """Looks, and waits as long as the look says, or until it is woken."""

    def __init__(self, name: str, look: Callable[[], float], changed: threading.Event | None = None) -> None:
        self._name = name
        self._look = look
        self._changed = changed or threading.Event()
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self.is_over = False

    def begin(self) -> None:
        """Look from now on."""
        self._thread.start()

    def end(self) -> None:
        """Look no more."""
        self.is_over = True
        self._changed.set()
        if self._thread.is_alive():
            self._thread.join()

    def wake(self) -> None:
        """Look again at once."""
        self._changed.set()

    def _work(self) -> None:
        while True:
            self._changed.clear()
            if self.is_over:  # asked after the mark is cleared: who ends it sets the mark last
                return
            try:
                seconds = self._look()
            except Exception:  # noqa: BLE001  # a bug in here must not end all that is still to be looked at
                _LOG.exception("%s", self._name)
                seconds = _AFTER_A_BUG
            self._changed.wait(max(0.0, seconds))
