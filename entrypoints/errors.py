"""The errors of a script that a user can correct: one line with cause and remedy.

ScriptError        everything below
├─ UsageError      flags with an invalid value
├─ DataError       images, archives or a data set that cannot be used
│  └─ DownloadFailedError   a download that was interrupted too often; the same command resumes it
├─ ModelError      a model, or weights, that cannot be built or read
├─ WriteError      a folder that cannot be written to
└─ LostProcessError       other processes of a training that are gone
"""

from __future__ import annotations

from typing import TypeVar

Error = TypeVar("Error", bound="ScriptError")


class ScriptError(Exception):
    """A script cannot do its work. The cause and the remedy are for the user; both together are one line."""

    def __init__(self, cause: str, remedy: str = "") -> None:
        # Not super(): an exception of AWS's toolkit, with other parameters, may come next in the order of classes.
        Exception.__init__(self, cause, remedy)
        self.cause, self.remedy = cause, remedy

    def __str__(self) -> str:
        return f"{self.cause}; {self.remedy}" if self.remedy else self.cause

    def about(self: Error, subject: object) -> Error:
        """Returns the same error with the name of what it is about in front of the cause."""
        return type(self)(f"{subject} {self.cause}", self.remedy)


class InvalidFlagError(ScriptError):
    """Flags that are invalid or contradict each other."""


class DataError(ScriptError):
    """Images, archives or a data set that cannot be used."""


class DownloadFailedError(DataError):
    """A download that failed too often; what was received is kept for the next run."""


class ModelError(ScriptError):
    """A model, or weights, that cannot be built or read."""


class WriteError(ScriptError):
    """A folder that is not writable, or whose disk is full."""


class LostProcessError(ScriptError):
    """Other processes of a training that ended or never connected."""
