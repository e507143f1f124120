"""A decision explained, as the simulator of IAM does: which policies decide it, and which context keys are missing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from pedigree.iam.decision import Outcome, decide
from pedigree.iam.document import Effect, Policy, Statement
from pedigree.iam.principals import Match
from pedigree.iam.request import Request


@dataclass(frozen=True)
class Simulation:
    """The outcome, the policies of the statements that decide it, and the keys that policies need and do not find.

    Without a permissions boundary, it is unknown whether that allows the request.
    """

    outcome: Outcome
    deciding: tuple[Policy, ...] = ()
    missing_keys: tuple[str, ...] = ()
    is_allowed_by_boundary: bool | None = None


def simulate(policies: Sequence[Policy], boundary: Sequence[Policy] | None, request: Request) -> Simulation:
    """Decide a request by a principal's and a resource's policies, and by the principal's boundary if it has one."""
    granted = decide(policies, request)
    limited = decide(boundary, request) if boundary is not None else None
    missing = tuple(dict.fromkeys(_missing((*policies, *(boundary or ())), request)))
    outcome = granted.outcome
    if limited is not None and outcome is not Outcome.EXPLICIT_DENY:
        is_stopped = not limited.allowed and not granted.is_direct
        outcome = limited.outcome if limited.outcome is Outcome.EXPLICIT_DENY or is_stopped else outcome
    considered = policies if outcome is granted.outcome else boundary or ()
    deciding = tuple(_deciding(considered, request, outcome))
    return Simulation(outcome, deciding, missing, limited.allowed if limited else None)


def _deciding(policies: Iterable[Policy], request: Request, outcome: Outcome) -> Iterator[Policy]:
    """The policy of each statement that decides: the Deny statements alone, or all that allow."""
    if outcome is Outcome.IMPLICIT_DENY:
        return
    effect = Effect.ALLOW if outcome is Outcome.ALLOWED else Effect.DENY
    for policy in policies:
        for statement in policy.statements:
            if statement.effect is effect and statement.match(request) is not Match.NONE:
                yield policy


def _missing(policies: Iterable[Policy], request: Request) -> Iterator[str]:
    """The keys without a value in statements about the request's action."""
    for policy in policies:
        for statement in policy.statements:
            if statement.actions.covers(request.action, request.keys):
                yield from (key for key in _required_keys(statement) if key.lower() not in request.keys)


def _required_keys(statement: Statement) -> Iterator[str]:
    yield from (condition.name for condition in statement.conditions)
    if statement.resources is not None:
        yield from statement.resources.patterns.required_keys
