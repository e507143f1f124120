"""The conditions of CloudWatch Logs Insights: parsed from tokens into a function that tests a row."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from pedigree.localaws.services.logs.query_tokens import QueryError, Tokens, unquoted

Row: TypeAlias = Mapping[str, Any]
Condition: TypeAlias = Callable[[Row], bool]

_ORDERS: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_PRESENCE: Mapping[str, Callable[[Any], bool]] = {
    "ispresent": lambda value: value is not None,
    "isempty": lambda value: value in (None, ""),
    "isblank": lambda value: not str("" if value is None else value).strip(),
}
# A repetition of a repetition can take for ever on a short line.
_NESTED = re.compile(r"\((?:[^()\\]|\\.)*[*+}](?:[^()\\]|\\.)*\)[*+{]")


def parse_condition(tokens: Tokens) -> Condition:
    """A condition: comparisons with and, or, not and parentheses."""
    alternatives = [_conjunction(tokens)]
    while tokens.take_word("or"):
        alternatives.append(_conjunction(tokens))
    return lambda row: any(holds(row) for holds in alternatives)


def _conjunction(tokens: Tokens) -> Condition:
    parts = [_negation(tokens)]
    while tokens.take_word("and"):
        parts.append(_negation(tokens))
    return lambda row: all(holds(row) for holds in parts)


def _negation(tokens: Tokens) -> Condition:
    if tokens.take_word("not"):
        holds = _negation(tokens)
        return lambda row: not holds(row)
    if tokens.take("("):
        inner = parse_condition(tokens)
        tokens.expect(")")
        return inner
    return _comparison(tokens)


def _comparison(tokens: Tokens) -> Condition:
    name = tokens.name()
    if tokens.take("("):
        return _function(tokens, name)
    is_negated = tokens.take_word("not")
    holds = _operator(tokens)
    return lambda row: holds(row.get(name)) is not is_negated


def _function(tokens: Tokens, name: str) -> Condition:
    test = _PRESENCE.get(name.lower())
    if test is None:
        raise QueryError(f"the function {name} is not supported by the local AWS")
    field = tokens.name()
    tokens.expect(")")
    return lambda row: test(row.get(field))


def _operator(tokens: Tokens) -> Callable[[Any], bool]:
    if tokens.take_word("like") or tokens.take("=~"):
        return _like(tokens.next())
    if tokens.take_word("in"):
        allowed = _list(tokens)
        return lambda value: any(_is_equal(value, entry) for entry in allowed)
    sign = tokens.next()
    wanted = unquoted(tokens.next()) if sign in ("=", "!=", *_ORDERS) else ""
    if sign == "=":
        return lambda value: _is_equal(value, wanted)
    if sign == "!=":
        return lambda value: not _is_equal(value, wanted)
    if sign in _ORDERS:
        return lambda value: _is_ordered(_ORDERS[sign], value, wanted)
    raise QueryError(f"the operator {sign} is not supported by the local AWS")


def _like(token: str) -> Callable[[Any], bool]:
    if not token.startswith("/"):
        text = unquoted(token)
        return lambda value: value is not None and text in str(value)
    expression = token[1:-1].replace("\\/", "/")
    if _NESTED.search(expression):
        raise QueryError(f"a repetition within a repetition, as in {token}, is not supported by the local AWS")
    try:
        pattern = re.compile(expression)
    except re.error as error:
        raise QueryError(f"{token} is no regular expression: {error}") from None
    return lambda value: value is not None and pattern.search(str(value)) is not None


def _list(tokens: Tokens) -> Sequence[str]:
    tokens.expect("[")
    entries = [unquoted(tokens.next())]
    while tokens.take(","):
        entries.append(unquoted(tokens.next()))
    tokens.expect("]")
    return entries


def _is_equal(value: Any, wanted: str) -> bool:
    if value is None:
        return False
    mine, other = number(value), number(wanted)
    return mine == other if mine is not None and other is not None else str(value) == wanted


def _is_ordered(compare: Callable[[Any, Any], bool], value: Any, wanted: str) -> bool:
    mine, other = number(value), number(wanted)
    return mine is not None and other is not None and compare(mine, other)


def number(value: Any) -> float | None:
    """A value as a number; None if it is none."""
    if value is None or isinstance(value, bool):
        return None
    try:
        return float(value)
    except (TypeError, ValueError):
        return None
