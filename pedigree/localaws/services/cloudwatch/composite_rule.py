"""The rules of composite alarms: ALARM("name"), OK(…) and INSUFFICIENT_DATA(…) with AND, OR, NOT and brackets. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

_TOKEN = re.compile(
    r'\s*(?:(ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*(?:"([^"]+)"|([^"()\s]+))\s*\)|(AND|OR|NOT|TRUE|FALSE)\b|([()]))'
)
_ARN = ":alarm:"

IsMet: TypeAlias = Callable[[Mapping[str, str]], bool]
"""Whether a rule is met, by the states of alarms by their names."""


class CompositeRuleError(ValueError):
    """A rule that cannot be read."""


@dataclass(frozen=True)
class CompositeRule:
    """A rule that was read, and the names of the alarms in it."""

    is_met: IsMet
    names: frozenset[str]


@dataclass(frozen=True)
class _Token:
    word: str
    name: str = ""


def parse(text: str) -> CompositeRule:
    """Read a rule; CompositeRuleError if it is none."""
    tokens = _tokens(text)
    try:
        is_met, rest = _either(tokens)
    except RecursionError:
        raise CompositeRuleError("it is nested too deeply") from None
    if rest:
        raise CompositeRuleError(f"{rest[0].word} was not expected")
    return CompositeRule(is_met, frozenset(token.name for token in tokens if token.name))


def _tokens(text: str) -> Sequence[_Token]:
    tokens, position = [], 0
    while text[position:].strip():
        match = _TOKEN.match(text, position)
        if match is None:
            raise CompositeRuleError(f"{text[position:].split()[0]} was not expected")
        state, quoted, plain, word, bracket = match.groups()
        name = (quoted or plain or "").rpartition(_ARN)[2]
        tokens.append(_Token(state or word or bracket, name))
        position = match.end()
    return tokens


def _either(tokens: Sequence[_Token]) -> tuple[IsMet, Sequence[_Token]]:
    left, rest = _both(tokens)
    if not rest or rest[0].word != "OR":
        return left, rest
    right, rest = _either(rest[1:])
    return (lambda states: left(states) or right(states)), rest


def _both(tokens: Sequence[_Token]) -> tuple[IsMet, Sequence[_Token]]:
    left, rest = _one(tokens)
    if not rest or rest[0].word != "AND":
        return left, rest
    right, rest = _both(rest[1:])
    return (lambda states: left(states) and right(states)), rest


def _one(tokens: Sequence[_Token]) -> tuple[IsMet, Sequence[_Token]]:
    if not tokens:
        raise CompositeRuleError("it ends too early")
    token, rest = tokens[0], tokens[1:]
    if token.word == "NOT":
        inner, rest = _one(rest)
        return (lambda states: not inner(states)), rest
    if token.word == "(":
        inner, rest = _either(rest)
        if not rest or rest[0].word != ")":
            raise CompositeRuleError("a bracket is not closed")
        return inner, rest[1:]
    if token.word in ("TRUE", "FALSE"):
        return (lambda _states: token.word == "TRUE"), rest
    if not token.name:
        raise CompositeRuleError(f"{token.word} was not expected")
    return (lambda states: states.get(token.name) == token.word), rest
