"""Compares the roles of a definition with the policies that they have: missing, too wide, unused, not trusted.

The rules IAM001 to IAM006 report what this finds. They are in another module because rules are imported for every
check, and the IAM logic only for a check with policies.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

from pedigree.checks.finding import Violation
from pedigree.checks.roles import least_privilege
from pedigree.checks.roles.comparison import ExcessStatement, excess_statements, missing_permissions, policies_of
from pedigree.checks.roles.permission import RequiredPermission
from pedigree.checks.roles.required import required_permissions
from pedigree.checks.roles.trust import assumptions, is_trusted
from pedigree.checks.subject import Subject
from pedigree.iam import Policy


class RoleAudit:
    """All roles of one definition against the policies in the evidence."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._policies = subject.evidence.policies

    def missing(self) -> Iterator[Violation]:
        """IAM001: permissions that the definition requires and the role does not have."""
        for role, required, policies in self._comparable_roles:
            by_purpose: dict[str, list[RequiredPermission]] = {}
            for permission in missing_permissions(required, policies):
                by_purpose.setdefault(permission.purpose, []).append(permission)
            for permissions in by_purpose.values():
                first = permissions[0]
                others = len({resource for each in permissions for resource in each.resources}) - 1
                more = f" and {others} more" if others else ""
                cause = f"{role} may not {', '.join(first.actions)} on {first.resources[0]}{more}"
                yield Violation(first.pointer, cause, f"add {_written(permissions)}")

    def wildcard_actions(self) -> Iterator[Violation]:
        """IAM002: statements that allow actions by a wildcard."""
        for role, pointer, excess in self._excess_statements:
            if excess.wide_actions:
                wide = f"{role} is allowed {', '.join(excess.wide_actions)} by {excess.statement.place}"
                count = len({action for permission in excess.required for action in permission.actions})
                if count:
                    used = f"{count} action{'s are' if count > 1 else ' is'}"
                    yield Violation(pointer, f"{wide}, and {used} needed", f"write {_written(excess.required)}")
                else:
                    yield Violation(pointer, f"{wide}, and none of it is needed", "remove the statement")

    def wildcard_resources(self) -> Iterator[Violation]:
        """IAM003: statements about every resource where the definition names its own."""
        for role, pointer, excess in self._excess_statements:
            if excess.is_everywhere and not excess.wide_actions:
                actions = ", ".join(excess.statement.actions.texts[:3])
                cause = f"{role} is allowed {actions} on * by {excess.statement.place}"
                yield Violation(pointer, cause, f"write {_written(excess.required)}")

    def unused(self) -> Iterator[Violation]:
        """IAM004: actions that are allowed and that the definition never needs."""
        for role, pointer, excess in self._excess_statements:
            if excess.unused and not excess.wide_actions:
                actions = ", ".join(excess.unused)
                what = actions if excess.required else "the statement"
                cause = f"{role} is allowed {actions} by {excess.statement.place}, and never needs it"
                yield Violation(pointer, cause, f"remove {what}, unless the role has other work")

    def without_policies(self) -> Iterator[Violation]:
        """IAM005: roles whose policies were not given."""
        for role, pointer in self._pointers.items():
            if policies_of(role, self._policies) is None:
                yield Violation(pointer, f"no policies of {role} were given", f"put its policies into a folder {role}")

    def untrusted(self) -> Iterator[Violation]:
        """IAM006: services that must assume a role and are not trusted by it."""
        trusts = self._subject.evidence.trusts
        for assumption in assumptions(self._subject) if trusts else ():
            trust = policies_of(assumption.role, trusts)
            if trust and not is_trusted(assumption, trust):
                purpose = f" for {assumption.source}" if assumption.source else ""
                cause = f"{assumption.role} does not let {assumption.service} assume it{purpose}"
                yield Violation(assumption.pointer, cause, f"add to its trust {json.dumps(assumption.statement)}")

    @cached_property
    def _required(self) -> Sequence[RequiredPermission]:
        return self._subject.view(required_permissions) if self._policies else ()

    @cached_property
    def _pointers(self) -> dict[str, str]:
        """For each role, where the definition first needs it."""
        pointers: dict[str, str] = {}
        for permission in self._required:
            pointers.setdefault(permission.role, permission.pointer)
        return pointers

    @cached_property
    def _comparable_roles(self) -> Sequence[tuple[str, list[RequiredPermission], Sequence[Policy]]]:
        """The roles whose policies are given, with what they require and what they have."""
        return [
            (role, [permission for permission in self._required if permission.role == role], policies)
            for role in self._pointers
            if (policies := policies_of(role, self._policies)) is not None
        ]

    @cached_property
    def _excess_statements(self) -> Sequence[tuple[str, str, ExcessStatement]]:
        return [
            (role, self._pointers[role], excess)
            for role, required, policies in self._comparable_roles
            for excess in excess_statements(required, policies)
        ]


def _written(permissions: Sequence[RequiredPermission]) -> str:
    statements: list[dict[str, Any]] = least_privilege.statements(permissions)
    return ", ".join(json.dumps(statement) for statement in statements)
