"""Writes the policy that allows what is required and nothing else, in the form that IAM takes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pedigree.checks.errors import UnknownRoleError
from pedigree.checks.roles.permission import PolicyConditions, RequiredPermission, is_called


def policy_of(role: str, required: Sequence[RequiredPermission]) -> dict[str, Any]:
    """The policy document of one role, which the end of its name may stand for: job for pedigree-job."""
    roles = dict.fromkeys(permission.role for permission in required)
    matching = [name for name in roles if name == role] or [name for name in roles if is_called(name, role)]
    if len(matching) != 1:
        match_count = "several match" if matching else "none matches"
        raise UnknownRoleError(
            f"this definition needs {', '.join(roles) or 'no role'}, and {match_count} {role}", "name one of them"
        )
    return policy(permission for permission in required if permission.role == matching[0])


def policy(required: Iterable[RequiredPermission]) -> dict[str, Any]:
    """The policy document for several permissions."""
    return {"Version": "2012-10-17", "Statement": statements(required)}


def statements(required: Iterable[RequiredPermission]) -> list[dict[str, Any]]:
    """One statement for each purpose; a number behind the Sid where one purpose has several."""
    groups: dict[tuple[str, tuple[str, ...], tuple[tuple[str, str], ...]], list[RequiredPermission]] = {}
    for permission in required:
        keys = tuple((operator, key) for operator, key, _ in permission.conditions)
        groups.setdefault((permission.purpose, permission.actions, keys), []).append(permission)
    count_of: dict[str, int] = {}
    written = []
    for (purpose, actions, _), permissions in groups.items():
        count_of[purpose] = count_of.get(purpose, 0) + 1
        sid = purpose if count_of[purpose] == 1 else f"{purpose}{count_of[purpose]}"
        written.append(_statement(sid, actions, permissions))
    return written


def _statement(sid: str, actions: Sequence[str], permissions: Sequence[RequiredPermission]) -> dict[str, Any]:
    resources = sorted({resource for permission in permissions for resource in permission.resources})
    statement = {
        "Sid": sid,
        "Effect": "Allow",
        "Action": _one_or_list(actions),
        "Resource": _one_or_list(_widest(resources)),
    }
    conditions = _conditions(permission.conditions for permission in permissions)
    return {**statement, "Condition": conditions} if conditions else statement


def _conditions(several: Iterable[PolicyConditions]) -> Mapping[str, Any]:
    """The conditions of several permissions as one block: any of the values of a key will do."""
    block: dict[str, dict[str, list[str]]] = {}
    for conditions in several:
        for operator, key, values in conditions:
            block.setdefault(operator, {}).setdefault(key, []).extend(values)
    return {
        operator: {key: _one_or_list(_widest(sorted(set(values)))) for key, values in keys.items()}
        for operator, keys in block.items()
    }


def _widest(patterns: Sequence[str]) -> list[str]:
    """The patterns without those that another one, ending in a star, covers."""
    return [
        pattern
        for pattern in patterns
        if not any(other != pattern and other.endswith("*") and pattern.startswith(other[:-1]) for other in patterns)
    ]


def _one_or_list(texts: Sequence[str]) -> str | list[str]:
    return texts[0] if len(texts) == 1 else list(texts)
