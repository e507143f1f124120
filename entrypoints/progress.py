"""Logs a line every few seconds, so that the log shows how far a long task is and how fast it goes."""

from __future__ import annotations

import logging
import time

INTERVAL_SECONDS = 5.0
_MEGABYTE = 1_000_000


class ProgressLog:
    """Logs how much is done, at intervals."""

    def __init__(self, activity: str, unit: str, interval: float = INTERVAL_SECONDS) -> None:
        self._activity, self._unit, self._interval = activity, unit, interval
        self._started = self._last_line = time.monotonic()

    def update(self, done: int, total: int | None) -> None:
        """Reports how much is done; logs a line if the last one is old enough."""
        now = time.monotonic()
        if now - self._last_line >= self._interval:
            self._last_line = now
            self._log_line(done, total, now)

    def _log_line(self, done: int, total: int | None, now: float) -> None:
        rate = done / max(now - self._started, 1e-9)
        share = f" of {self._format_amount(total)} ({100 * done / total:.0f}%)" if total else ""
        logging.info(
            "%s: %s%s, %s a second", self._activity, self._format_amount(done), share, self._format_amount(rate)
        )

    def _format_amount(self, value: float) -> str:
        return f"{value / _MEGABYTE:.1f} MB" if self._unit == "bytes" else f"{value:.0f} {self._unit}"
