"""Whom a policy of a resource, or a role's trust, means: Principal and NotPrincipal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from pedigree.iam.request import Principal


class Match(Enum):
    """How a statement is about a request.

    Naming an account lets the account's own policies decide, so that it allows nothing by itself.
    """

    NONE = "not at all"
    BY_ACCOUNT = "through the account of whoever asks"
    DIRECT = "as it stands"


@dataclass(frozen=True)
class Principals:
    """Those who are named, by kind; or, negated, everybody else."""

    everybody: bool
    names: Mapping[str, frozenset[str]]
    negated: bool

    def match(self, principal: Principal | None) -> Match:
        """Whether somebody is meant, and how."""
        if principal is None:
            return Match.NONE
        found = self._found(principal)
        if self.negated:
            return Match.DIRECT if found is Match.NONE else Match.NONE
        return found

    def _found(self, principal: Principal) -> Match:
        named = self.names.get(principal.kind, frozenset())
        if self.everybody or named & principal.names:
            return Match.DIRECT
        return Match.BY_ACCOUNT if named & principal.account_names else Match.NONE
