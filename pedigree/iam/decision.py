"""The decision: a Deny wins over everything, then an Allow is needed; without either the request is denied."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from pedigree.iam.document import Effect, Policy, PolicyKind, Statement
from pedigree.iam.principals import Match
from pedigree.iam.request import Request


class Outcome(Enum):
    """The three results of a decision, in IAM's words."""

    ALLOWED = "allowed"
    EXPLICIT_DENY = "explicit deny"
    IMPLICIT_DENY = "implicit deny"


@dataclass(frozen=True)
class Decision:
    """The outcome and the statement that decided it, None where no statement did."""

    outcome: Outcome
    statement: Statement | None = None

    @property
    def allowed(self) -> bool:
        return self.outcome is Outcome.ALLOWED

    @property
    def why(self) -> str:
        if self.statement is None:
            return "no statement allows it"
        return f"{'allowed' if self.allowed else 'denied'} by {self.statement.place}"


def decide(policies: Iterable[Policy], request: Request) -> Decision:
    """Decide a request by all policies: those of the principal and those of the resource, in the same account.

    A role can be assumed only if its trust allows it: by name or, where the trust names the account, together with the
    principal's own policies. For any other resource an Allow on either side is enough.
    """
    statements: dict[tuple[PolicyKind, Match], Statement] = {}
    trusted = False
    for policy in policies:
        trusted = trusted or policy.kind is PolicyKind.TRUST
        for statement in policy.statements:
            match = statement.match(request)
            if match is Match.NONE:
                continue
            if statement.effect is Effect.DENY:
                return Decision(Outcome.EXPLICIT_DENY, statement)
            statements.setdefault((policy.kind, match), statement)
    by_identity = statements.get((PolicyKind.IDENTITY, Match.DIRECT))
    if trusted:
        by_account = statements.get((PolicyKind.TRUST, Match.BY_ACCOUNT)) if by_identity else None
        allowing = statements.get((PolicyKind.TRUST, Match.DIRECT)) or by_account
    else:
        allowing = by_identity or statements.get((PolicyKind.RESOURCE, Match.DIRECT))
    return Decision(Outcome.ALLOWED, allowing) if allowing else Decision(Outcome.IMPLICIT_DENY)
