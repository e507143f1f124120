"""One thing that a role must be allowed, and the words that all needs are told in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

PIPELINE = "pipeline"
"""What the pipeline's own role is called where nobody says its name: a definition does not have it."""

SOMETHING = "abcdefghijkl"
Conditions = tuple[tuple[str, str, tuple[str, ...]], ...]
"""Operator, key and values, as a statement has them."""


@dataclass(frozen=True)
class Need:
    """Actions on resources, for a purpose that names the statement. One of the resources is what is really meant."""

    role: str
    purpose: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    pointer: str
    conditions: Conditions = ()
    told: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """What a call says besides, and a policy may ask for."""

    @property
    def context(self) -> Mapping[str, Any]:
        """The circumstances of such a call."""
        wanted = {key: example(values[0]) for _, key, values in self.conditions}
        return {"aws:SecureTransport": True, **{key: list(values) for key, values in self.told}, **wanted}


def example(pattern: str) -> str:
    """Something that a pattern stands for."""
    return pattern.replace("*", SOMETHING)


def role_name(arn: Any) -> str:
    """The name of a role, without the path before it; empty for what is no role's ARN."""
    match = re.fullmatch(r"arn:[a-z-]+:iam::[^:]*:role/(?:.*/)?([^/]+)", arn) if isinstance(arn, str) else None
    return match[1] if match else ""


def is_called(role: str, name: str) -> bool:
    """Whether a role is meant by a name, which may be the end of its own: job for pedigree-job."""
    return role == name or role.endswith((f"-{name}", f"_{name}"))
