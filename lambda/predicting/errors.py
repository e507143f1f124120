"""The error for a request that is refused: a message for its sender, and the HTTP status.

The sender sees the message, so it contains nothing that they did not send. The original exception is the cause, and
goes to the log.
"""

from __future__ import annotations

from http import HTTPStatus


class RequestRefusedError(Exception):
    """A request that gets no prediction; cause and remedy are for its sender."""

    def __init__(self, status: HTTPStatus, cause: str, remedy: str) -> None:
        super().__init__(cause, remedy)
        self.status, self.cause, self.remedy = status, cause, remedy

    def __str__(self) -> str:
        return f"{self.cause}; {self.remedy}"


def too_large_error(what: str, max_bytes: int) -> RequestRefusedError:
    """Returns the error for more bytes than the endpoint accepts."""
    return RequestRefusedError(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"{what} has more than {max_bytes} bytes", "make it smaller"
    )
