"""What can go wrong in a function, in words for whoever watches the execution: the pipeline shows them.

FunctionError       whatever somebody can mend
├─ EventError       the event lacks a value, or has one that is none
├─ RefusedError     AWS said no, or the endpoint is in a state that nothing here can mend
└─ BusyError        the endpoint is at something else for longer than a function may last; the same event can come again
NotYetError         the world is not ready: look again in a moment (shared/aws.py does); no function lets it out
"""

from __future__ import annotations


class FunctionError(Exception):
    """The base of all that is told to a user."""


class EventError(FunctionError):
    """The event is not what the function takes."""


class RefusedError(FunctionError):
    """AWS understood, and said no; code is the name that AWS has for its reason."""

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class BusyError(FunctionError):
    """Time was up before the endpoint was free."""


class NotYetError(Exception):
    """Something passes by itself. Where it may also stay, it is tried a few times, and then it is the refusal."""

    def __init__(self, why: str, refusal: RefusedError | None = None, tries: int = 0) -> None:
        super().__init__(why)
        self.refusal = refusal
        self.tries = tries
