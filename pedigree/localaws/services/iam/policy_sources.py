"""Looks up users, groups and roles by ARN, with the policies that the simulator of IAM takes from them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pedigree.iam import Policy
from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.iam.callers import UseBackend, default_document, parse_or_deny

_GLOBAL = "aws"
_ENTITY = re.compile(r"arn:aws[\w-]*:iam::\d{12}:(user|group|role)/(?:.*/)?([^/]+)")
_COLLECTIONS = {"user": "users", "group": "groups", "role": "roles"}


@dataclass(frozen=True)
class PolicySource:
    """A principal's policies and boundary, and the condition keys that it determines."""

    policies: tuple[Policy, ...]
    boundary: tuple[Policy, ...] | None
    context: Mapping[str, str]


def find_source(use_backend: UseBackend, arn: str) -> PolicySource:
    """The principal that an ARN names; ServiceError if it names none."""
    kind, name = entity(arn)
    with use_backend("iam", _GLOBAL) as iam:
        principals = getattr(iam, _COLLECTIONS[kind]).values()
        principal = next((principal for principal in principals if principal.arn == arn), None)
        if principal is None:
            raise ServiceError("NoSuchEntity", f"The {kind} with name {name} cannot be found.", 404)
        owners = [(kind, principal)]
        if kind == "user":
            owners += [("group", group) for group in iam.get_groups_for_user(name)]
        policies = tuple(policy for owner_kind, owner in owners for policy in _policies(owner_kind, owner))
        limit = iam.managed_policies.get(getattr(principal, "permissions_boundary_arn", None) or "")
        boundary = (parse_or_deny(default_document(limit), limit.name),) if limit else None
        return PolicySource(policies, boundary, {**_identity(kind, name, principal.id), **_tags(iam, kind, principal)})


def entity(arn: str) -> tuple[str, str]:
    """The kind and the name of the user, group or role that an ARN names."""
    match = _ENTITY.fullmatch(arn)
    if match is None:
        words = f"Invalid Entity Arn: {arn} does not clearly define entity type and name."
        raise ServiceError("InvalidInput", words)
    return match[1], match[2]


def _policies(kind: str, owner: Any) -> Iterator[Policy]:
    """A principal's own policies, and those attached to it."""
    for name, text in owner.policies.items():
        yield parse_or_deny(text, f"{kind}_{owner.name}_{name}")
    for policy in owner.managed_policies.values():
        yield parse_or_deny(default_document(policy), policy.name)


def _identity(kind: str, name: str, unique_id: str) -> Mapping[str, str]:
    return {"aws:username": name, "aws:userid": unique_id} if kind == "user" else {}


def _tags(iam: Any, kind: str, principal: Any) -> Mapping[str, str]:
    listed = principal.tags if kind == "role" else iam.tagger.list_tags_for_resource(principal.arn)["Tags"]
    return {f"aws:PrincipalTag/{tag['Key']}": tag["Value"] for tag in listed}
