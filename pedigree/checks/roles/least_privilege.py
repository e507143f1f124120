"""The least policy: statements that allow what is needed and nothing else, in the form in which IAM takes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pedigree.checks.errors import UnknownRoleError
from pedigree.checks.roles.need import Conditions, Need, is_called


def policy_of(role: str, found: Sequence[Need]) -> dict[str, Any]:
    """The document for one role, which may be called by the end of its name: job for pedigree-job."""
    known = dict.fromkeys(one.role for one in found)
    meant = [one for one in known if one == role] or [one for one in known if is_called(one, role)]
    if len(meant) != 1:
        raise UnknownRoleError(
            f"this definition needs {', '.join(known) or 'no role'}, and {role} is {'none' if not meant else 'several'}"
            " of them; name one"
        )
    return policy(one for one in found if one.role == meant[0])


def policy(found: Iterable[Need]) -> dict[str, Any]:
    """The needs as a document."""
    return {"Version": "2012-10-17", "Statement": statements(found)}


def statements(found: Iterable[Need]) -> list[dict[str, Any]]:
    """One statement a purpose; those that ask for different things have numbers behind their names."""
    groups: dict[tuple[str, tuple[str, ...], tuple[tuple[str, str], ...]], list[Need]] = {}
    for one in found:
        keys = tuple((operator, key) for operator, key, _ in one.conditions)
        groups.setdefault((one.purpose, one.actions, keys), []).append(one)
    taken: dict[str, int] = {}
    made = []
    for (purpose, actions, _), several in groups.items():
        taken[purpose] = taken.get(purpose, 0) + 1
        sid = purpose if taken[purpose] == 1 else f"{purpose}{taken[purpose]}"
        made.append(_statement(sid, actions, several))
    return made


def _statement(sid: str, actions: Sequence[str], several: Sequence[Need]) -> dict[str, Any]:
    resources = sorted({resource for one in several for resource in one.resources})
    statement = {"Sid": sid, "Effect": "Allow", "Action": _short(actions), "Resource": _short(_widest(resources))}
    conditions = _conditions([one.conditions for one in several])
    return {**statement, "Condition": conditions} if conditions else statement


def _conditions(several: Iterable[Conditions]) -> Mapping[str, Any]:
    """The conditions of all needs as one: any of their values will do."""
    found: dict[str, dict[str, list[str]]] = {}
    for conditions in several:
        for operator, key, values in conditions:
            found.setdefault(operator, {}).setdefault(key, []).extend(values)
    return {
        operator: {key: _short(_widest(sorted(set(values)))) for key, values in keys.items()}
        for operator, keys in found.items()
    }


def _widest(texts: Sequence[str]) -> list[str]:
    """Those that no other one covers by ending in a star."""
    return [
        one
        for one in texts
        if not any(other != one and other.endswith("*") and one.startswith(other[:-1]) for other in texts)
    ]


def _short(texts: Sequence[str]) -> str | list[str]:
    return texts[0] if len(texts) == 1 else list(texts)
