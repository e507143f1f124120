"""Errors of the functions, in words for users: the pipeline shows them.

FunctionError       an error that a user can fix
├─ EventError       the event lacks a value, or has an invalid one
├─ RefusedError     AWS refused, or the endpoint is in a state that the function cannot change
└─ BusyError        the endpoint is busy for longer than a function may run; the same event can be sent again
RetryableError      a temporary error: retry in a moment (shared/aws.py does); never leaves a function
"""

from __future__ import annotations


class FunctionError(Exception):
    """An error for users, as one line of cause and remedy."""

    def __init__(self, cause: str, remedy: str = "") -> None:
        super().__init__(cause, remedy)
        self.cause, self.remedy = cause, remedy

    def __str__(self) -> str:
        return f"{self.cause}; {self.remedy}" if self.remedy else self.cause


class EventError(FunctionError):
    """The event is not valid."""


class RefusedError(FunctionError):
    """AWS refused a call; `code` is AWS's error code."""

    def __init__(self, cause: str, remedy: str = "", code: str = "") -> None:
        super().__init__(cause, remedy)
        self.code = code


class BusyError(FunctionError):
    """Time was up before the endpoint was free."""


class RetryableError(Exception):
    """A temporary error. If it may also be permanent, it is retried `tries` times, and then `refusal` is raised."""

    def __init__(self, why: str, refusal: RefusedError | None = None, tries: int = 0) -> None:
        super().__init__(why)
        self.refusal = refusal
        self.tries = tries
