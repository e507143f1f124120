"""The errors of executions that a user can fix in the definition."""

from __future__ import annotations

from pedigree.localaws.kernel.errors import LocalAwsError


class ValueMissingError(LocalAwsError):
    """An expression has no value in this execution; the step that needs it fails with this message."""
