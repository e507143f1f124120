"""A token bucket: many at once for a moment, and a steady rate after that."""

from __future__ import annotations

from collections.abc import Callable


class TokenBucket:
    """Holds up to a number of tokens, and gets new ones at a rate; a caller that gets none has to wait."""

    def __init__(self, most: float, per_second: float, now: Callable[[], float]) -> None:
        self._most, self._per_second, self._now = most, per_second, now
        self._tokens, self._filled = most, now()

    def take(self) -> bool:
        """Take a token, and return whether there was one."""
        now = self._now()
        self._tokens = min(self._most, self._tokens + (now - self._filled) * self._per_second)
        self._filled = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
