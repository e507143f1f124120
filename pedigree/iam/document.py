"""Policies as they are decided with: plain data, every pattern compiled. reading.py makes them from JSON."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from pedigree.iam.conditions import Absence, Condition
from pedigree.iam.patterns import Patterns, UnknownError
from pedigree.iam.principals import Grade, Principals
from pedigree.iam.request import Context, Request


class Kind(Enum):
    """What a policy hangs on."""

    IDENTITY = "a role or a user"
    RESOURCE = "a resource"
    TRUST = "a role, to say who may take it"


class Effect(Enum):
    """What a statement does with the requests that it is about."""

    ALLOW = "Allow"
    DENY = "Deny"


@dataclass(frozen=True)
class Choice:
    """What a statement is about, as it is or with a Not before it: Action, NotAction, Resource, NotResource."""

    texts: tuple[str, ...]
    patterns: Patterns
    negated: bool

    def covers(self, text: str, context: Context) -> bool:
        """Whether a text is meant; what hangs on an unknown variable never is."""
        try:
            return self.patterns.match(text, context) is not self.negated
        except UnknownError:
            return False


@dataclass(frozen=True)
class Statement:
    """One statement: which requests it is about, and what it does with them."""

    place: str
    sid: str
    effect: Effect
    principals: Principals | None
    actions: Choice
    resources: Choice | None
    conditions: tuple[Condition | Absence, ...]

    def grade(self, request: Request) -> Grade:
        """Whether it is about a request, and how."""
        context = request.keys
        if not self.actions.covers(request.action, context):
            return Grade.NOT
        if self.resources is not None and not self.resources.covers(request.resource, context):
            return Grade.NOT
        if not all(one.holds(context) for one in self.conditions):
            return Grade.NOT
        return Grade.DIRECT if self.principals is None else self.principals.grade(request.principal)


@dataclass(frozen=True)
class Policy:
    """A document, ready to be decided with."""

    name: str
    kind: Kind
    statements: tuple[Statement, ...]
