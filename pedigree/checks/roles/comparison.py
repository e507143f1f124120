"""The needs, held against policies: what is missing, and what is allowed that nothing needs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from pedigree.checks.roles.need import Need, example, is_called
from pedigree.iam import Effect, Outcome, Policy, Request, Statement, decide
from pedigree.iam.principals import Grade


@dataclass(frozen=True)
class Surplus:
    """A statement that allows more than is needed, and what of it is."""

    statement: Statement
    needed: tuple[Need, ...]

    @property
    def wide_actions(self) -> list[str]:
        """Actions that stand for several."""
        texts = self.statement.actions.texts
        return (
            [f"all but {', '.join(texts)}"] if self.statement.actions.negated else [one for one in texts if "*" in one]
        )

    @property
    def unused(self) -> list[str]:
        """Actions, named one by one, that nothing needs."""
        needed = {action.lower() for one in self.needed for action in one.actions}
        return [one for one in self.statement.actions.texts if "*" not in one and one.lower() not in needed]

    @property
    def is_everywhere(self) -> bool:
        """Whether it is about every resource, and less would do."""
        resources = self.statement.resources
        everywhere = resources is not None and (resources.negated or "*" in resources.texts)
        return everywhere and any("*" not in one.resources for one in self.needed)


def policies_of(role: str, known: Mapping[str, Sequence[Policy]]) -> Sequence[Policy] | None:
    """The policies of a role, which are kept under its name or under the end of it: pedigree-job, job."""
    named = [name for name in known if is_called(role, name)]
    return known[max(named, key=len)] if named else None


def missing(found: Iterable[Need], policies: Sequence[Policy]) -> Iterator[Need]:
    """The needs that are not met, each with those of its actions that are not allowed."""
    for one in found:
        actions = tuple(action for action in one.actions if not _is_met(one, action, policies))
        if actions:
            yield replace(one, actions=actions)


def surplus(found: Sequence[Need], policies: Sequence[Policy]) -> Iterator[Surplus]:
    """All statements that allow something, with what is needed of each."""
    for statement in (one for policy in policies for one in policy.statements):
        if statement.effect is Effect.ALLOW:
            covered = ((one, tuple(a for a in one.actions if _covers(statement, one, a))) for one in found)
            yield Surplus(statement, tuple(replace(one, actions=actions) for one, actions in covered if actions))


def _is_met(need: Need, action: str, policies: Sequence[Policy]) -> bool:
    """Whether it is allowed on one of the resources; what hangs on a condition that nobody can judge here is."""
    for resource in need.resources:
        request = Request(action, example(resource), need.context)
        outcome = decide(policies, request).outcome
        if outcome is Outcome.ALLOWED:
            return True
        if outcome is Outcome.IMPLICIT_DENY and any(
            hangs(one, request) for policy in policies for one in policy.statements
        ):
            return True
    return False


def _covers(statement: Statement, need: Need, action: str) -> bool:
    requests = (Request(action, example(resource), need.context) for resource in need.resources)
    return any(statement.grade(one) is not Grade.NOT or hangs(statement, one) for one in requests)


def hangs(statement: Statement, request: Request) -> bool:
    """Whether a statement would allow it, but for keys of which nothing is known."""
    if statement.effect is not Effect.ALLOW or not statement.actions.covers(request.action, request.keys):
        return False
    if statement.resources is not None and not statement.resources.covers(request.resource, request.keys):
        return False
    failing = [one for one in statement.conditions if not one.holds(request.keys)]
    return bool(failing) and all(one.key not in request.keys for one in failing)
