"""Matches event patterns of EventBridge's rules and of event source filters; pattern_syntax.py reads them. Pure.

A pattern has the same shape as the event. Its leaves are lists of alternatives: values, or objects with one comparison
each. Where an event has a list, one of its entries must match. A name with dots stands for names within each other, in
patterns and in events.
"""

from __future__ import annotations

import ipaddress
import operator
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, TypeAlias

_ABSENT = object()
_OR = "$or"
_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    "=": operator.eq,
    ">": operator.gt,
    ">=": operator.ge,
}
ValueMatcher: TypeAlias = Callable[[Any, Any], bool]
Path: TypeAlias = tuple[str, ...]
Leaves: TypeAlias = Callable[[], frozenset[Path]]
"""The names of an event that exist, found when they are first asked for."""


def matches(pattern: Mapping[str, Any], event: Any) -> bool:
    """Return whether an event matches a pattern."""
    nested = _nested(event)
    return _fits_object(_nested_pattern(pattern), nested, (), cache(lambda: frozenset(_leaf_paths(nested, ()))))


def _fits_object(pattern: Mapping[str, Any], value: Any, path: Path, leaves: Leaves) -> bool:
    return all(
        any(_fits_object(alternative, value, path, leaves) for alternative in expected)
        if key == _OR
        else _fits(expected, _member(value, key), (*path, key), leaves)
        for key, expected in pattern.items()
    )


def _fits(expected: Any, value: Any, path: Path, leaves: Leaves) -> bool:
    if isinstance(expected, Mapping):  # where nothing is, a member can still be expected to be absent
        objects = [item for item in _items(value) if isinstance(item, Mapping)] or [{}]
        return any(_fits_object(expected, item, path, leaves) for item in objects)
    return any(_fits_alternative(alternative, value, path, leaves) for alternative in expected)


def _member(event: Any, key: str) -> Any:
    return event.get(key, _ABSENT) if isinstance(event, Mapping) else _ABSENT


def _items(value: Any) -> Iterator[Any]:
    """Yield a value, or those of a list and of the lists in it."""
    if not isinstance(value, list):
        yield value
        return
    for item in value:
        yield from _items(item)


def _leaf_paths(value: Any, path: Path) -> Iterator[Path]:
    """Yield the names of what is neither an object nor an empty list: only that exists, for a pattern."""
    for item in _items(value):
        if isinstance(item, Mapping):
            for key, inner in item.items():
                yield from _leaf_paths(inner, (*path, key))
        else:
            yield path


def _nested(value: Any) -> Any:
    """Return a value whose names have no dots."""
    if isinstance(value, list):
        return [_nested(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    members: dict[str, Any] = {}
    for key, inner in value.items():
        _put(members, key.split("."), _nested(inner))
    return members


def _put(members: dict[str, Any], keys: Sequence[str], value: Any) -> None:
    """Add a member, beside what is there by the same name: either may match."""
    *outer, last = keys
    for key in outer:
        inner = members.setdefault(key, {})
        if not isinstance(inner, dict):
            members[key] = [inner, {}]
            inner = members[key][1]
        members = inner
    members[last] = [members[last], value] if last in members else value


def _nested_pattern(pattern: Mapping[str, Any]) -> Mapping[str, Any]:
    members: dict[str, Any] = {}
    for key, expected in pattern.items():
        if key == _OR:
            members[key] = [_nested_pattern(alternative) for alternative in expected]
            continue
        *outer, last = key.split(".")
        inner = members
        for name in outer:
            inner[name] = inner[name] if isinstance(inner.get(name), dict) else {}
            inner = inner[name]
        value = _nested_pattern(expected) if isinstance(expected, Mapping) else expected
        both = isinstance(value, Mapping) and isinstance(inner.get(last), Mapping)
        inner[last] = {**inner[last], **value} if both else value
    return members


def _fits_alternative(expected: Any, value: Any, path: Path, leaves: Leaves) -> bool:
    """Return whether a value, or one item of a list, fits one alternative of a leaf."""
    if isinstance(expected, Mapping) and "exists" in expected:
        return bool((path in leaves()) == expected["exists"])
    return any(_fits_value(expected, item) for item in _items(value))


def _fits_value(expected: Any, value: Any) -> bool:
    if value is _ABSENT or isinstance(value, Mapping):
        return False
    if not isinstance(expected, Mapping):
        return _equal(expected, value)
    return all(_COMPARISONS[name](argument, value) for name, argument in expected.items())


def _equal(expected: Any, value: Any) -> bool:
    """Compare as JSON does, where 1 is not true."""
    return bool(expected == value) and isinstance(expected, bool) == isinstance(value, bool)


def _text(compare: Callable[[str, str], bool]) -> ValueMatcher:
    """Return a comparison with one text or several, and ignoring case if the pattern says so."""

    def compare_any(expected: Any, value: Any) -> bool:
        if not isinstance(value, str):
            return False
        if isinstance(expected, Mapping):
            return ignore_case(expected["equals-ignore-case"], value)
        return any(compare(text, value) for text in ([expected] if isinstance(expected, str) else expected))

    def ignore_case(expected: Any, value: str) -> bool:
        texts = [expected] if isinstance(expected, str) else expected
        return any(compare(text.lower(), value.lower()) for text in texts)

    return compare_any


def _anything_but(expected: Any, value: Any) -> bool:
    if isinstance(expected, Mapping):
        return not _fits_value(expected, value)
    return not any(_equal(item, value) for item in (expected if isinstance(expected, list) else [expected]))


def _numeric(expected: Sequence[Any], value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    pairs = zip(expected[::2], expected[1::2], strict=True)
    return all(_OPERATORS[name](value, bound) for name, bound in pairs)


def _cidr(network: str, value: Any) -> bool:
    if not isinstance(value, str):
        return False
    try:
        return ipaddress.ip_address(value) in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False


def _wildcard(pattern: str, value: str) -> bool:
    """Match piece by piece from the left, each at its first occurrence, so that no pattern takes long."""
    first, *others = _pieces(pattern)
    if not others:
        return value == first
    *middle, last = others
    at, end = len(first), len(value) - len(last)
    if at > end or not (value.startswith(first) and value.endswith(last)):
        return False
    for piece in middle:
        index = value.find(piece, at, end)
        if index < 0:
            return False
        at = index + len(piece)
    return True


def _pieces(pattern: str) -> list[str]:
    """Split a pattern at the stars that are not escaped."""
    pieces = [""]
    for part in re.findall(r"\\[*\\]|\*|[^*\\]+|\\", pattern):
        if part == "*":
            pieces.append("")
        else:
            pieces[-1] += part[1:] if len(part) > 1 and part[0] == "\\" else part
    return pieces


_COMPARISONS: Mapping[str, ValueMatcher] = {
    "exactly": _equal,
    "prefix": _text(lambda prefix, value: value.startswith(prefix)),
    "suffix": _text(lambda suffix, value: value.endswith(suffix)),
    "equals-ignore-case": _text(lambda text, value: text.lower() == value.lower()),
    "wildcard": _text(_wildcard),
    "anything-but": _anything_but,
    "numeric": _numeric,
    "cidr": _cidr,
}
