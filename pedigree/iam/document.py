"""Policies as data with compiled patterns, ready for decisions. reading.py makes them from JSON."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from pedigree.iam.conditions import Condition, NullCondition
from pedigree.iam.patterns import PatternSet, UnknownVariableError
from pedigree.iam.principals import Match, Principals
from pedigree.iam.request import Context, Request


class PolicyKind(Enum):
    """What a policy is attached to."""

    IDENTITY = "a role or a user"
    SESSION = "a session, to limit it further"
    RESOURCE = "a resource"
    TRUST = "a role, to say who may assume it"


class Effect(Enum):
    """Whether a statement allows or denies the requests that match."""

    ALLOW = "Allow"
    DENY = "Deny"


@dataclass(frozen=True)
class Selector:
    """The Action, NotAction, Resource or NotResource of a statement."""

    texts: tuple[str, ...]
    patterns: PatternSet
    negated: bool

    def covers(self, text: str, context: Context) -> bool:
        """Whether a name is selected; never if that depends on an unknown variable."""
        try:
            return self.patterns.match(text, context) is not self.negated
        except UnknownVariableError:
            return False


@dataclass(frozen=True)
class Statement:
    """A statement: which requests match, and whether it allows or denies them."""

    place: str
    sid: str
    effect: Effect
    principals: Principals | None
    actions: Selector
    resources: Selector | None
    conditions: tuple[Condition | NullCondition, ...]

    def match(self, request: Request) -> Match:
        """Whether a request matches, and how."""
        context = request.keys
        if not self.actions.covers(request.action, context):
            return Match.NONE
        if self.resources is not None and not self.resources.covers(request.resource, context):
            return Match.NONE
        if not all(condition.holds(context) for condition in self.conditions):
            return Match.NONE
        if self.principals is None:
            return Match.DIRECT
        is_denial = self.effect is Effect.DENY
        return (self.principals.match_denied if is_denial else self.principals.match)(request.principal)


@dataclass(frozen=True)
class Policy:
    """A policy document, parsed."""

    name: str
    kind: PolicyKind
    statements: tuple[Statement, ...]
