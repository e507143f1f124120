"""The errors of an account: each is one line with its cause and its remedy.

OperationsError          what the user can correct
├─ UnreachableError      no credentials, no such region, no connection
├─ DeniedError           a policy lacks an action
├─ CallRefusedError      AWS refused for another reason: a quota, a name that is taken, an invalid value
│  ├─ AbsentError        the resource of a call does not exist
│  └─ TransientError     AWS was busy, or the connection was cut
├─ NameTakenError        a name that is needed belongs to another resource
├─ InvalidInputError     the input of a command does not fit what is in the account; one problem a line
├─ ScheduleEndedError    a schedule that would start nothing
├─ PricesError           a malformed table of prices
├─ UnfinishedError       a wait that ended, or a drift that stays
└─ UnfilledError         a policy with a placeholder that nothing fills
"""

from __future__ import annotations

from pedigree.errors import Mistake, Mistakes


class OperationsError(Mistake):
    """The base of all errors that a user reads."""


class UnreachableError(OperationsError):
    """There is no connection to AWS."""


class DeniedError(OperationsError):
    """The caller lacks an action."""


class CallRefusedError(OperationsError):
    """AWS refused the call; code is AWS's error code."""

    def __init__(self, cause: str, remedy: str = "", code: str = "") -> None:
        super().__init__(cause, remedy)
        self.code = code


class AbsentError(CallRefusedError):
    """The resource of a call does not exist."""


class TransientError(CallRefusedError):
    """AWS was busy, or the connection was cut: a retry may help."""


class InvalidInputError(Mistakes, OperationsError):
    """The input of a command is invalid; one problem a line."""


class NameTakenError(OperationsError):
    """A resource with that name exists already, and is not ours."""


class ScheduleEndedError(OperationsError):
    """A schedule whose times have all passed."""


class PricesError(OperationsError):
    """A table of prices is malformed."""


class UnfinishedError(OperationsError):
    """A wait ended, or a change was not made in time."""


class UnfilledError(OperationsError):
    """A document that still has a placeholder."""
