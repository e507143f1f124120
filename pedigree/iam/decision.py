"""The decision: a Deny wins over everything, then an Allow is needed; without either the request is denied."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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
    """The outcome and the statement that decided it, None where no statement did.

    A grant is direct if a policy of the resource names the caller itself: then neither the caller's boundary nor its
    session's policy has to allow the request as well.
    """

    outcome: Outcome
    statement: Statement | None = None
    is_direct: bool = False

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

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
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
    by_identity = _first(statements, (PolicyKind.IDENTITY, PolicyKind.SESSION), Match.DIRECT)
    granting = (PolicyKind.TRUST,) if trusted else (PolicyKind.RESOURCE,)
    direct = _first(statements, granting, Match.DIRECT)
    by_resource = direct or _first(statements, granting, Match.BY_ROLE)
    if trusted:
        allowing = by_resource or (by_identity and _first(statements, granting, Match.BY_ACCOUNT))
    else:
        allowing = by_identity or by_resource
    return Decision(Outcome.ALLOWED, allowing, direct is not None) if allowing else Decision(Outcome.IMPLICIT_DENY)


def _first(
    statements: Mapping[tuple[PolicyKind, Match], Statement], kinds: Iterable[PolicyKind], match: Match
) -> Statement | None:
    return next((statements[kind, match] for kind in kinds if (kind, match) in statements), None)
