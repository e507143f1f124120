"""Whose fault a failed training is. A message ends with the class of what caused it, as AWS's do."""

from __future__ import annotations


class BaseToolkitError(Exception):
    """An error with a message for the job's FailureReason."""

    def __init__(self, message: str = "", caused_by: Exception | None = None) -> None:
        words = message or str(caused_by or "unknown error occurred")
        self.message = f"{words} (caused by {type(caused_by).__name__})" if caused_by else words
        self.caused_by = caused_by
        super().__init__(self.message)


class UserError(BaseToolkitError):
    """What the user can mend: a hyperparameter, a channel, the data."""


class AlgorithmError(BaseToolkitError):
    """What the algorithm itself did not expect."""


class PlatformError(BaseToolkitError):
    """What the machines lack."""
