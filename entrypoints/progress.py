"""Signs of life: one line every few seconds, so that a log shows how far long work has come and how fast it goes."""

from __future__ import annotations

import logging
import time

EVERY_SECONDS = 5.0
_MEGABYTE = 1_000_000


class Progress:
    """Counts what is done and says so from time to time."""

    def __init__(self, doing: str, unit: str, every: float = EVERY_SECONDS) -> None:
        self._doing, self._unit, self._every = doing, unit, every
        self._started = self._told = time.monotonic()

    def at(self, done: int, total: int | None) -> None:
        """So much is done; the line appears when the last one is old enough."""
        now = time.monotonic()
        if now - self._told >= self._every:
            self._told = now
            self._tell(done, total, now)

    def _tell(self, done: int, total: int | None, now: float) -> None:
        rate = done / max(now - self._started, 1e-9)
        share = f" of {self._amount(total)} ({100 * done / total:.0f}%)" if total else ""
        logging.info("%s: %s%s, %s a second", self._doing, self._amount(done), share, self._amount(rate))

    def _amount(self, value: float) -> str:
        return f"{value / _MEGABYTE:.1f} MB" if self._unit == "bytes" else f"{value:.0f} {self._unit}"
