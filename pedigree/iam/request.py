"""What is asked: an action on a resource, by whom, and under which circumstances."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

Scalar = str | bool | int | float
Context = Mapping[str, tuple[str, ...]]
PrincipalKind = Literal["AWS", "Service", "Federated", "CanonicalUser"]


@dataclass(frozen=True)
class Principal:
    """Who asks: a kind, the names by which a policy may call it, and those by which it calls its whole account."""

    kind: PrincipalKind
    names: frozenset[str]
    account_names: frozenset[str] = frozenset()


def service(name: str) -> Principal:
    """A service of AWS: lambda.amazonaws.com."""
    return Principal("Service", frozenset({name}))


def identity(arn: str) -> Principal:
    """A user or a role."""
    return Principal("AWS", frozenset({arn}), _account_names(arn))


def session(role_arn: str, session_arn: str) -> Principal:
    """Somebody who has taken a role, and is called by the role as well as by the session."""
    return Principal("AWS", frozenset({session_arn, role_arn}), _account_names(role_arn))


@dataclass(frozen=True)
class Request:
    """One action on one resource; a call that touches several resources is several requests."""

    action: str
    resource: str = "*"
    context: Mapping[str, Scalar | Sequence[Scalar]] = field(default_factory=dict)
    principal: Principal | None = None

    @cached_property
    def keys(self) -> Context:
        """The context as conditions ask for it: keys in lower case, values as texts; what is empty is not there."""
        values = {key.lower(): _texts(value) for key, value in self.context.items()}
        return {key: texts for key, texts in values.items() if texts}


def _texts(value: Scalar | Sequence[Scalar]) -> tuple[str, ...]:
    if isinstance(value, (str, bool, int, float)):
        return (str(value).lower() if isinstance(value, bool) else str(value),)
    return tuple(text for one in value for text in _texts(one))


def _account_names(arn: str) -> frozenset[str]:
    parts = arn.split(":")
    if len(parts) < 6 or not parts[4]:
        return frozenset()
    return frozenset({parts[4], f"arn:{parts[1]}:iam::{parts[4]}:root"})
