"""Logs a lasting problem once, so that a loop that meets it again and again does not fill the log."""

from __future__ import annotations

import logging
from collections.abc import Hashable


class OnceLogger:
    """Logs the first message of each key, and drops the later ones."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._logged: set[Hashable] = set()

    def warning(self, key: Hashable, message: str, *arguments: object) -> None:
        if self._is_first(key):
            self._log.warning(message, *arguments)

    def exception(self, key: Hashable, message: str, *arguments: object) -> None:
        """Log the message with the traceback of the current exception."""
        if self._is_first(key):
            self._log.exception(message, *arguments)

    def _is_first(self, key: Hashable) -> bool:
        is_first = key not in self._logged
        self._logged.add(key)
        return is_first
