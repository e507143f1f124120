"""A request to decide: an action on a resource by a principal, with the condition keys of the call."""

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
    """Who makes a request, as policies name it: by its own name, by the role of its session, or by its account."""

    kind: PrincipalKind
    name: str
    role: str = ""
    account_names: frozenset[str] = frozenset()
    has_boundary: bool = False


def service(name: str) -> Principal:
    """The principal of an AWS service, as lambda.amazonaws.com."""
    return Principal("Service", name)


def identity(arn: str, *, has_boundary: bool = False) -> Principal:
    """The principal of a user or a role."""
    return Principal("AWS", arn, account_names=_account_names(arn), has_boundary=has_boundary)


def session(role_arn: str, session_arn: str, *, has_boundary: bool = False) -> Principal:
    """The principal of a session; policies may name the role or the session."""
    return Principal("AWS", session_arn, role_arn, _account_names(role_arn), has_boundary)


@dataclass(frozen=True)
class Request:
    """One action on one resource; a call that uses several resources is several requests."""

    action: str
    resource: str = "*"
    context: Mapping[str, Scalar | Sequence[Scalar]] = field(default_factory=dict)
    principal: Principal | None = None

    @cached_property
    def keys(self) -> Context:
        """The context as conditions need it: keys in lower case, values as texts, without empty ones."""
        values = {key.lower(): _texts(value) for key, value in self.context.items()}
        return {key: texts for key, texts in values.items() if texts}


def _texts(value: Scalar | Sequence[Scalar]) -> tuple[str, ...]:
    if isinstance(value, (str, bool, int, float)):
        return (str(value).lower() if isinstance(value, bool) else str(value),)
    return tuple(text for item in value for text in _texts(item))


def _account_names(arn: str) -> frozenset[str]:
    parts = arn.split(":")
    if len(parts) < 6 or not parts[4]:
        return frozenset()
    return frozenset({parts[4], f"arn:{parts[1]}:iam::{parts[4]}:root"})
