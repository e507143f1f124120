"""The decision: a Deny wins, whatever else is said; then an Allow is needed; nothing said is a no."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from pedigree.iam.document import Effect, Policy, PolicyKind, Statement
from pedigree.iam.principals import Match
from pedigree.iam.request import Request


class Outcome(Enum):
    """What IAM calls the three ends."""

    ALLOWED = "allowed"
    EXPLICIT_DENY = "explicit deny"
    IMPLICIT_DENY = "implicit deny"


@dataclass(frozen=True)
class Decision:
    """The outcome, and the statement that made it; none, where no statement did."""

    outcome: Outcome
    statement: Statement | None = None

    @property
    def allowed(self) -> bool:
        """Whether the request may go on."""
        return self.outcome is Outcome.ALLOWED

    @property
    def why(self) -> str:
        """The outcome in words."""
        if self.statement is None:
            return "no statement allows it"
        return f"{'allowed' if self.allowed else 'denied'} by {self.statement.place}"


def decide(policies: Iterable[Policy], request: Request) -> Decision:
    """What all policies together say: those of whoever asks, and those of the resource, in the same account.

    A role is taken only if its trust says so, by name or, where it names the account, together with the policies of
    whoever asks. For any other resource an Allow on either side is enough.
    """
    found: dict[tuple[PolicyKind, Match], Statement] = {}
    trusted = False
    for policy in policies:
        trusted = trusted or policy.kind is PolicyKind.TRUST
        for statement in policy.statements:
            grade = statement.match(request)
            if grade is Match.NONE:
                continue
            if statement.effect is Effect.DENY:
                return Decision(Outcome.EXPLICIT_DENY, statement)
            found.setdefault((policy.kind, grade), statement)
    by_identity = found.get((PolicyKind.IDENTITY, Match.DIRECT))
    if trusted:
        by_account = found.get((PolicyKind.TRUST, Match.BY_ACCOUNT)) if by_identity else None
        allowing = found.get((PolicyKind.TRUST, Match.DIRECT)) or by_account
    else:
        allowing = by_identity or found.get((PolicyKind.RESOURCE, Match.DIRECT))
    return Decision(Outcome.ALLOWED, allowing) if allowing else Decision(Outcome.IMPLICIT_DENY)
