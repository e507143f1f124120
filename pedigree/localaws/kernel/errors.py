"""What can go wrong in the local AWS, told in one line.

LocalAwsError           whatever a user can mend
└─ ValueMissingError    an expression of a definition that is worth nothing in this execution
"""

from __future__ import annotations

from pedigree.errors import Mistake


class LocalAwsError(Mistake):
    """The base of all mistakes that are told to a user."""


class ValueMissingError(LocalAwsError):
    """An expression without a value; the step that needs it fails with these words."""
