"""Finds the permissions that each step of a scenario uses, and proves that the step fails without each of them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.proof.environment import OPERATOR, ProofEnvironment
from tests.proof.permissions import Permission

# S3 answers HEAD without a body, so a client that asks with HEAD, like the AWS CLI before it copies, sees only this.
_OTHER_WORDS = {"s3:GetObject": "(403) when calling the HeadObject operation: Forbidden"}


def _nothing(_env: ProofEnvironment) -> None:
    """Prepare nothing."""


@dataclass(frozen=True)
class ScenarioStep:
    """A step that the project's own code does; do returns why it failed, or nothing.

    roles: whose permissions the step proves. files: which of the operator's policies the operator has meanwhile.
    before: prepares the account each time, so that there is something to do. A step that failed continues from there
    when it is done again.
    """

    name: str
    do: Callable[[ProofEnvironment], str]
    roles: tuple[str, ...] = (OPERATOR,)
    files: tuple[str, ...] = ()
    before: Callable[[ProofEnvironment], None] = _nothing


@dataclass(frozen=True)
class Scenario:
    """Steps in their order, in an account of their own with these settings."""

    name: str
    steps: Sequence[ScenarioStep]
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Proof:
    """A permission, the first step that uses it, and how that step or a later one failed without it."""

    permission: Permission
    step: str
    failure: str


class StepFailedError(Exception):
    """A step fails although it has all its permissions."""


def prove(scenario: Scenario, proven: Collection[Permission] = ()) -> Iterator[Proof]:
    """Prove each permission that a scenario uses and that is not proven yet: some step fails without it.

    A step may fail for another reason before it comes to a permission, if it failed elsewhere before; then a later
    step proves the permission.
    """
    used = {step.name: permissions for step, permissions in _record_permissions(scenario)}
    first = {permission: step for step, permissions in reversed(used.items()) for permission in permissions}
    done = set(proven)
    with tempfile.TemporaryDirectory() as folder, ProofEnvironment(Path(folder), scenario.settings) as env:
        for step in scenario.steps:
            env.limit_operator(step.files)
            for permission in used[step.name]:
                if permission in done:
                    continue
                failure = _run_without(env, step, permission)
                if failure:
                    done.add(permission)
                    yield Proof(permission, first[permission], failure)
            _run_allowed(env, step)


def _record_permissions(scenario: Scenario) -> Iterator[tuple[ScenarioStep, tuple[Permission, ...]]]:
    """Each step with the permissions that it uses, in the order of their first use."""
    with tempfile.TemporaryDirectory() as folder, ProofEnvironment(Path(folder), scenario.settings) as env:
        for step in scenario.steps:
            env.limit_operator(step.files)
            yield step, _run_allowed(env, step)


def _run_allowed(env: ProofEnvironment, step: ScenarioStep) -> tuple[Permission, ...]:
    step.before(env)
    env.clear()
    failure = step.do(env)
    if failure:
        raise StepFailedError(f"{step.name} fails with all its permissions: {failure}")
    return env.permissions_used(step.roles)


def _run_without(env: ProofEnvironment, step: ScenarioStep, permission: Permission) -> str:
    """How a step fails without a permission, if the failure names that permission; else nothing."""
    step.before(env)
    with env.without(permission):
        failure = step.do(env)
        return failure if names_permission(permission, failure) and env.has_denied(permission) else ""


def names_permission(permission: Permission, failure: str) -> bool:
    """Whether a failure says which action is missing, as far as its service does."""
    action = permission.action
    return action.lower() in failure.lower() or _OTHER_WORDS.get(action, action) in failure
