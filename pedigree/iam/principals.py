"""The Principal and NotPrincipal of a resource's policy or a role's trust."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from pedigree.iam.request import Principal


class Match(Enum):
    """How a request matches a statement.

    A statement that names an account leaves the decision to the account's own policies; it allows nothing by itself.
    One that names the role of a session allows what the session's boundary and policies allow, too.
    """

    NONE = "not at all"
    BY_ACCOUNT = "through the account of the principal"
    BY_ROLE = "through the role of the session"
    DIRECT = "as it stands"


@dataclass(frozen=True)
class Principals:
    """The named principals by kind; or, negated, all others."""

    everybody: bool
    names: Mapping[str, frozenset[str]]
    negated: bool

    def match(self, principal: Principal | None) -> Match:
        """Whether a principal is named, and how."""
        if principal is None:
            return Match.NONE
        match = self._match_names(principal)
        if self.negated:
            return Match.BY_ROLE if match is Match.NONE else Match.NONE
        return match

    def match_denied(self, principal: Principal | None) -> Match:
        """As match, for a Deny: NotPrincipal excepts no principal that has a permissions boundary."""
        is_excepted_in_vain = self.negated and principal is not None and principal.has_boundary
        return Match.DIRECT if is_excepted_in_vain else self.match(principal)

    def _match_names(self, principal: Principal) -> Match:
        named = self.names.get(principal.kind, frozenset())
        if self.everybody or principal.name in named:
            return Match.DIRECT
        if principal.role in named:
            return Match.BY_ROLE
        return Match.BY_ACCOUNT if named & principal.account_names else Match.NONE
