"""What can be wrong with what a check is given.

ChecksError         everything below; its message is for the user: one line with cause and remedy
├─ UnusableError    a text that is no definition, so that nothing can be said about it
├─ UnknownCodeError a code that no rule has
└─ UnknownRoleError a role that a definition does not need
"""

from __future__ import annotations

from pedigree.errors import Mistake


class ChecksError(Mistake):
    """Something that cannot be checked."""


class UnusableError(ChecksError):
    """A text that is no pipeline definition at all."""


class UnknownCodeError(ChecksError):
    """A code, or the beginning of codes, that no rule has."""


class UnknownRoleError(ChecksError):
    """A role that a definition does not need."""
