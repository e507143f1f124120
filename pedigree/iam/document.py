"""Policies as they are decided with: plain data, every pattern compiled. reading.py makes them from JSON."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from pedigree.iam.conditions import Condition, NullCondition
from pedigree.iam.patterns import PatternSet, UnknownVariableError
from pedigree.iam.principals import Match, Principals
from pedigree.iam.request import Context, Request


class PolicyKind(Enum):
    """What a policy hangs on."""

    IDENTITY = "a role or a user"
    RESOURCE = "a resource"
    TRUST = "a role, to say who may take it"


class Effect(Enum):
    """What a statement does with the requests that it is about."""

    ALLOW = "Allow"
    DENY = "Deny"


@dataclass(frozen=True)
class Selector:
    """What a statement is about, as it is or with a Not before it: Action, NotAction, Resource, NotResource."""

    texts: tuple[str, ...]
    patterns: PatternSet
    negated: bool

    def covers(self, text: str, context: Context) -> bool:
        """Whether a text is meant; what hangs on an unknown variable never is."""
        try:
            return self.patterns.match(text, context) is not self.negated
        except UnknownVariableError:
            return False


@dataclass(frozen=True)
class Statement:
    """One statement: which requests it is about, and what it does with them."""

    place: str
    sid: str
    effect: Effect
    principals: Principals | None
    actions: Selector
    resources: Selector | None
    conditions: tuple[Condition | NullCondition, ...]

    def match(self, request: Request) -> Match:
        """Whether it is about a request, and how."""
        context = request.keys
        if not self.actions.covers(request.action, context):
            return Match.NONE
        if self.resources is not None and not self.resources.covers(request.resource, context):
            return Match.NONE
        if not all(one.holds(context) for one in self.conditions):
            return Match.NONE
        return Match.DIRECT if self.principals is None else self.principals.match(request.principal)


@dataclass(frozen=True)
class Policy:
    """A document, ready to be decided with."""

    name: str
    kind: PolicyKind
    statements: tuple[Statement, ...]
