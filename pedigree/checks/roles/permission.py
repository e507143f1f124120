"""One permission that a definition requires of a role."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

PIPELINE = "pipeline"
"""The name for the pipeline's own role where none is given: a definition does not contain it."""

ANY_NAME = "abcdefghijkl"
PolicyConditions = tuple[tuple[str, str, tuple[str, ...]], ...]
"""Operator, key and values, as in a statement."""


@dataclass(frozen=True)
class RequiredPermission:
    """Actions on resources, for a purpose that names the statement. It is met if one of the resources is allowed."""

    role: str
    purpose: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    pointer: str
    conditions: PolicyConditions = ()
    request_keys: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Condition keys that the request brings, and that a policy may test."""

    @property
    def context(self) -> Mapping[str, Any]:
        """The condition keys of such a request."""
        wanted = {key: example(values[0]) for _, key, values in self.conditions}
        return {"aws:SecureTransport": True, **{key: list(values) for key, values in self.request_keys}, **wanted}


def named_actions(actions: str) -> tuple[str, ...]:
    """The actions in a short form: "s3:GetObject PutObject" is s3:GetObject and s3:PutObject."""
    service, _, verbs = actions.partition(":")
    return tuple(f"{service}:{verb}" for verb in verbs.split())


def example(pattern: str) -> str:
    """A name that a pattern matches."""
    return pattern.replace("*", ANY_NAME)


def role_name(arn: Any) -> str:
    """The name of a role without its path; empty if the text is not the ARN of a role."""
    match = re.fullmatch(r"arn:[a-z-]+:iam::[^:]*:role/(?:.*/)?([^/]+)", arn) if isinstance(arn, str) else None
    return match[1] if match else ""


def is_called(role: str, name: str) -> bool:
    """Whether a name means a role: its own name or the end of it, as job for pedigree-job."""
    return role == name or role.endswith((f"-{name}", f"_{name}"))
