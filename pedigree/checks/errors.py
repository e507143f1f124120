"""The errors of a check that cannot be made.

ChecksError         the base
├─ NotADefinitionError    the text is not a definition, so that nothing can be checked
├─ UnknownCodeError no rule has the code
└─ UnknownRoleError the definition does not need the role
"""

from __future__ import annotations

from pedigree.errors import Mistake


class ChecksError(Mistake):
    """A check cannot be made."""


class NotADefinitionError(ChecksError):
    """The text is not a pipeline definition."""


class UnknownCodeError(ChecksError):
    """No rule has this code, or codes that begin like this."""


class UnknownRoleError(ChecksError):
    """The definition does not need this role."""
