"""What can be wrong with a document that should be a policy."""

from __future__ import annotations

from pedigree.errors import Mistake


class PolicyError(Mistake):
    """A document that IAM would not take for a policy; says which statement, and what is wrong with it."""
