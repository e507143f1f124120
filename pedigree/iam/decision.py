"""The decision: a Deny wins, whatever else is said; then an Allow is needed; nothing said is a no."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from pedigree.iam.document import Effect, Kind, Policy, Statement
from pedigree.iam.principals import Grade
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
    found: dict[tuple[Kind, Grade], Statement] = {}
    trusted = False
    for policy in policies:
        trusted = trusted or policy.kind is Kind.TRUST
        for statement in policy.statements:
            grade = statement.grade(request)
            if grade is Grade.NOT:
                continue
            if statement.effect is Effect.DENY:
                return Decision(Outcome.EXPLICIT_DENY, statement)
            found.setdefault((policy.kind, grade), statement)
    by_identity = found.get((Kind.IDENTITY, Grade.DIRECT))
    if trusted:
        by_account = found.get((Kind.TRUST, Grade.BY_ACCOUNT)) if by_identity else None
        allowing = found.get((Kind.TRUST, Grade.DIRECT)) or by_account
    else:
        allowing = by_identity or found.get((Kind.RESOURCE, Grade.DIRECT))
    return Decision(Outcome.ALLOWED, allowing) if allowing else Decision(Outcome.IMPLICIT_DENY)
