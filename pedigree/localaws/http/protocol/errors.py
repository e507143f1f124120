"""The error answer of a service: a code, a message and an HTTP status."""

from __future__ import annotations

from collections.abc import Mapping


class ServiceError(Exception):
    """An error answer; clients handle the code, people read the message.

    Details are members that the error has in a document of JSON, besides its code and its words.
    """

    details: Mapping[str, str] = {}
    headers: Mapping[str, str] = {}

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


class InvalidRequestError(ServiceError):
    """A request that the service does not take."""

    def __init__(self, message: str) -> None:
        super().__init__("ValidationException", message)


class UnreadableRequestError(ServiceError):
    """A request that is not of the protocol, or has a value of another type than its member."""

    def __init__(self, message: str) -> None:
        super().__init__("SerializationException", message)


class AccessDeniedError(ServiceError):
    """A request that its caller may not make; each protocol has a code and a status of its own for it."""

    def __init__(self, message: str) -> None:
        super().__init__("AccessDeniedException", message)


class RequestTooLargeError(ServiceError):
    """A body of more bytes than the service takes."""

    def __init__(self, most: int) -> None:
        super().__init__("RequestEntityTooLargeException", f"The request is larger than {most} bytes", 413)
