"""The error of a malformed policy."""

from __future__ import annotations

from pedigree.errors import Mistake


class PolicyError(Mistake):
    """IAM would not accept a document as a policy. The cause names the statement."""
