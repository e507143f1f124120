"""Roles: what they must be allowed for this definition, held against the policies that they have."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from pedigree.checks.finding import Severity, Spot
from pedigree.checks.rule import rule
from pedigree.checks.subject import Subject

if TYPE_CHECKING:
    from pedigree.checks.roles.held import Surplus
    from pedigree.checks.roles.need import Need
    from pedigree.iam import Policy


@rule("IAM001", Severity.ERROR)
def missing(subject: Subject) -> Iterator[Spot]:
    """A role may not do what this definition needs.

    The step fails with AccessDenied when it is its turn, after all that came before has been paid for. The remedy is
    the statement to add. Needs the policies: --policies.
    """
    for role, needs, policies in _judged(subject):
        from pedigree.checks.roles import held, least

        lacking: dict[str, list[Need]] = {}
        for one in held.missing(needs, policies):
            lacking.setdefault(one.purpose, []).append(one)
        for several in lacking.values():
            first = several[0]
            others = len({resource for one in several for resource in one.resources}) - 1
            more = f" and {others} more" if others else ""
            cause = f"{role} may not {', '.join(first.actions)} on {first.resources[0]}{more}"
            yield Spot(first.pointer, cause, f"add {_written(least.statements(several))}")


@rule("IAM002", Severity.WARNING)
def wildcards(subject: Subject) -> Iterator[Spot]:
    """A statement allows actions by a wildcard.

    s3:* or a managed policy like AmazonSageMakerFullAccess allows far more than the definition needs, to whatever code
    runs as this role. The remedy is what to write in its place.
    """
    for role, pointer, one in _surplus(subject):
        from pedigree.checks.roles import least

        if one.wide_actions:
            wide = f"{role} is allowed {', '.join(one.wide_actions)} by {one.statement.place}"
            if one.needed:
                count = len({action for need in one.needed for action in need.actions})
                told = f"{count} action{'s are' if count > 1 else ' is'}"
                yield Spot(pointer, f"{wide}, and {told} needed", f"write {_written(least.statements(one.needed))}")
            else:
                yield Spot(pointer, f"{wide}, and nothing of it is needed", "remove the statement")


@rule("IAM003", Severity.WARNING)
def everywhere(subject: Subject) -> Iterator[Spot]:
    """A statement is about every resource, and the definition names those that it needs.

    The role can read every bucket, call every function, or hand over every role of the account.
    """
    for role, pointer, one in _surplus(subject):
        from pedigree.checks.roles import least

        if one.is_everywhere and not one.wide_actions:
            cause = f"{role} is allowed {', '.join(one.statement.actions.texts[:3])} on * by {one.statement.place}"
            yield Spot(pointer, cause, f"write {_written(least.statements(one.needed))}")


@rule("IAM004", Severity.NOTE)
def never_needed(subject: Subject) -> Iterator[Spot]:
    """A role is allowed what the definition never needs.

    It may be there for the role's other work. What nothing needs is better gone.
    """
    for role, pointer, one in _surplus(subject):
        if not one.wide_actions and one.unused:
            what = "the statement" if not one.needed else ", ".join(one.unused)
            cause = f"{role} is allowed {', '.join(one.unused)} by {one.statement.place}, and never needs it"
            yield Spot(pointer, cause, f"remove {what}, unless the role has other work")


@rule("IAM005", Severity.NOTE)
def unknown(subject: Subject) -> Iterator[Spot]:
    """The policies of a role were not given.

    Policies were, but none of this role, so nothing is said about it.
    """
    for role, pointer in _roles(subject):
        from pedigree.checks.roles.held import policies_of

        if policies_of(role, subject.beside.policies) is None:
            yield Spot(pointer, f"nothing is known of {role}", f"put its policies into a folder {role}")


@rule("IAM006", Severity.ERROR)
def untrusted(subject: Subject) -> Iterator[Spot]:
    """A role that whoever needs it may not take.

    A trust for the pipeline's executions alone (aws:SourceArn) does not let jobs take the role, nor functions. Checked
    where the trust is given: a trust.json beside the policies.
    """
    if not subject.beside.trusts:
        return
    from pedigree.checks.roles.held import policies_of
    from pedigree.checks.roles.trusting import is_trusted, takers

    for one in takers(subject):
        trust = policies_of(one.role, subject.beside.trusts)
        if trust and not is_trusted(one, trust):
            what = f" for {one.source}" if one.source else ""
            cause = f"{one.role} does not let {one.service} take it{what}"
            yield Spot(one.pointer, cause, f"add to its trust {json.dumps(one.statement)}")


def _roles(subject: Subject) -> Iterator[tuple[str, str]]:
    """The roles that need something, where policies are known, and where each is first needed."""
    places: dict[str, str] = {}
    for one in subject.needs if subject.beside.policies else ():
        places.setdefault(one.role, one.pointer)
    yield from places.items()


def _judged(subject: Subject) -> Iterator[tuple[str, list[Need], Sequence[Policy]]]:
    for role, _ in _roles(subject):
        from pedigree.checks.roles.held import policies_of

        policies = policies_of(role, subject.beside.policies)
        if policies is not None:
            yield role, [one for one in subject.needs if one.role == role], policies


def _surplus(subject: Subject) -> Iterator[tuple[str, str, Surplus]]:
    places = dict(_roles(subject))
    for role, needs, policies in _judged(subject):
        from pedigree.checks.roles.held import surplus

        for one in surplus(needs, policies):
            yield role, places[role], one


def _written(statements: list[dict[str, object]]) -> str:
    return ", ".join(json.dumps(one) for one in statements)
