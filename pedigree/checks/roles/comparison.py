"""Compares required permissions with policies: what is missing, and what is allowed and not required."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from pedigree.checks.roles.permission import RequiredPermission, example, is_called
from pedigree.iam import Effect, Outcome, Policy, Request, Statement, decide
from pedigree.iam.principals import Match


@dataclass(frozen=True)
class ExcessStatement:
    """A statement, and the required permissions that it covers; it may allow more than those."""

    statement: Statement
    required: tuple[RequiredPermission, ...]

    @property
    def wide_actions(self) -> list[str]:
        """Its actions with wildcards."""
        texts = self.statement.actions.texts
        if self.statement.actions.negated:
            return [f"all but {', '.join(texts)}"]
        return [text for text in texts if "*" in text]

    @property
    def unused(self) -> list[str]:
        """Its actions without wildcards that nothing requires."""
        required = {action.lower() for permission in self.required for action in permission.actions}
        return [text for text in self.statement.actions.texts if "*" not in text and text.lower() not in required]

    @property
    def is_everywhere(self) -> bool:
        """Whether it is about every resource, and some permission requires less."""
        resources = self.statement.resources
        everywhere = resources is not None and (resources.negated or "*" in resources.texts)
        return everywhere and any("*" not in permission.resources for permission in self.required)


def policies_of(role: str, policies: Mapping[str, Sequence[Policy]]) -> Sequence[Policy] | None:
    """The policies of a role, kept under its name or the end of it (pedigree-job, job); None if there are none."""
    names = [name for name in policies if is_called(role, name)]
    return policies[max(names, key=len)] if names else None


def missing_permissions(
    required: Iterable[RequiredPermission], policies: Sequence[Policy]
) -> Iterator[RequiredPermission]:
    """The permissions that are not granted, each with its denied actions only."""
    for permission in required:
        denied = tuple(action for action in permission.actions if not _is_granted(permission, action, policies))
        if denied:
            yield replace(permission, actions=denied)


def excess_statements(required: Sequence[RequiredPermission], policies: Sequence[Policy]) -> Iterator[ExcessStatement]:
    """Every statement that allows something, with the required permissions that it covers."""
    for statement in (statement for policy in policies for statement in policy.statements):
        if statement.effect is Effect.ALLOW:
            covered = (
                replace(permission, actions=tuple(a for a in permission.actions if _covers(statement, permission, a)))
                for permission in required
            )
            yield ExcessStatement(statement, tuple(permission for permission in covered if permission.actions))


def allows_with_unknown_keys(statement: Statement, request: Request) -> bool:
    """Whether a statement allows a request except for conditions on keys that are not known here."""
    if statement.effect is not Effect.ALLOW or not statement.actions.covers(request.action, request.keys):
        return False
    if statement.resources is not None and not statement.resources.covers(request.resource, request.keys):
        return False
    failing = [condition for condition in statement.conditions if not condition.holds(request.keys)]
    return bool(failing) and all(condition.key not in request.keys for condition in failing)


def _is_granted(permission: RequiredPermission, action: str, policies: Sequence[Policy]) -> bool:
    """Whether an action is allowed on one of the resources; an unknown condition is assumed to hold."""
    for resource in permission.resources:
        request = Request(action, example(resource), permission.context)
        outcome = decide(policies, request).outcome
        if outcome is Outcome.ALLOWED:
            return True
        if outcome is Outcome.IMPLICIT_DENY and any(
            allows_with_unknown_keys(statement, request) for policy in policies for statement in policy.statements
        ):
            return True
    return False


def _covers(statement: Statement, permission: RequiredPermission, action: str) -> bool:
    requests = (Request(action, example(resource), permission.context) for resource in permission.resources)
    return any(
        statement.match(request) is not Match.NONE or allows_with_unknown_keys(statement, request)
        for request in requests
    )
