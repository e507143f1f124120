"""The time that a fetch may take in all: each part of it gets what the parts before have left."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from predicting.errors import Refused


class Deadline:
    """The end of a number of seconds."""

    def __init__(self, seconds: float, clock: Callable[[], float]) -> None:
        self._seconds, self._clock, self._end = seconds, clock, clock() + seconds

    def left(self) -> float:
        """The seconds until then, more than none."""
        left = self._end - self._clock()
        if left <= 0:
            raise self.over()
        return left

    def over(self) -> Refused:
        """What to say when there are none left."""
        message = f"fetching the picture took more than {self._seconds:g} s; use a faster server or send the picture"
        return Refused(HTTPStatus.REQUEST_TIMEOUT, message)
