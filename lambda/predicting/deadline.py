"""A deadline for a whole fetch: each part of it may use the time that the parts before left."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from predicting.errors import RequestRefusedError


class Deadline:
    """The end of a number of seconds."""

    def __init__(self, seconds: float, clock: Callable[[], float]) -> None:
        self._seconds, self._clock, self._end = seconds, clock, clock() + seconds

    def remaining(self) -> float:
        """Returns the remaining seconds; raises an error if there are none."""
        remaining = self._end - self._clock()
        if remaining <= 0:
            raise self.timeout_error()
        return remaining

    def timeout_error(self) -> RequestRefusedError:
        cause = f"fetching the picture took more than {self._seconds:g} s"
        return RequestRefusedError(HTTPStatus.REQUEST_TIMEOUT, cause, "use a faster server or send the picture")
