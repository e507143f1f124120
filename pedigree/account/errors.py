"""What can go wrong with an account, told in one line with its remedy.

OperationsError       whatever the user can mend
├─ UnreachableError   no credentials, no such region, no connection
├─ DeniedError        a policy lacks an action
├─ RefusedError       AWS said no for another reason: a quota, a name that is taken, a value that it does not take
│  ├─ AbsentError     what a call is about is not there
│  └─ PassingError    AWS was busy, or the connection was cut
├─ TakenError         a name that is needed belongs to something else
├─ GivenError         what a command was given does not fit what is in the account; one problem a line
├─ NeverError         a schedule that would start nothing
├─ PricesError        a table of prices that is none
├─ UnfinishedError    it was asked for, and is not so: a wait that ended, a drift that stays
└─ UnfilledError      a policy with a placeholder that nothing fills
"""

from __future__ import annotations

from pedigree.errors import Mistake, Mistakes


class OperationsError(Mistake):
    """The base of all mistakes that are told to a user."""


class UnreachableError(OperationsError):
    """AWS could not be asked at all."""


class DeniedError(OperationsError):
    """Whoever asked lacks an action."""


class CallRefusedError(OperationsError):
    """AWS understood, and said no; code is the name that AWS has for its reason."""

    def __init__(self, cause: str, remedy: str = "", code: str = "") -> None:
        super().__init__(cause, remedy)
        self.code = code


class AbsentError(CallRefusedError):
    """What a call is about is not there."""


class PassingError(CallRefusedError):
    """AWS was busy, or the connection was cut: asking again may help."""


class GivenError(Mistakes, OperationsError):
    """What a command was given cannot be; one problem a line."""


class TakenError(OperationsError):
    """Something of that name is there already, and it is not ours."""


class NeverError(OperationsError):
    """A schedule whose times have all passed."""


class PricesError(OperationsError):
    """Something that should be a table of prices."""


class UnfinishedError(OperationsError):
    """It was asked for, and it is not so."""


class UnfilledError(OperationsError):
    """A document that still has a placeholder."""
