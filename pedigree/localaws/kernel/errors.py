"""The errors of the local AWS that a user can fix.

LocalAwsError           the base of all
└─ ValueMissingError    an expression of a definition has no value in this execution
"""

from __future__ import annotations

from pedigree.errors import Mistake


class LocalAwsError(Mistake):
    """The base of all errors that a user sees."""


class ValueMissingError(LocalAwsError):
    """An expression has no value; the step that needs it fails with this message."""
