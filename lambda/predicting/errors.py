"""Why a request is not answered: a message for its sender, and the HTTP status that says whose fault it is.

The message goes to whoever sent the request, so nothing stands in it that they did not say themselves. What else there
is to know is the cause, for the log.
"""

from __future__ import annotations

from http import HTTPStatus


class Refused(Exception):  # noqa: N818 - what happens to a request, not an error of ours
    """A request that gets no prediction."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


def too_large(what: str, most_bytes: int) -> Refused:
    """The refusal of more bytes than the endpoint takes."""
    return Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"{what} has more than {most_bytes} bytes; make it smaller")
