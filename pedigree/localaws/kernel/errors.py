"""The base of the local AWS's errors that a user can fix."""

from __future__ import annotations

from pedigree.errors import Mistake


class LocalAwsError(Mistake):
    """An error with a cause and a remedy; each part of the local AWS has its own below this one."""
