"""Event patterns of EventBridge rules and of event source filters. Pure.

A pattern has the same shape as the event. Its leaves are lists of alternatives: values, or objects with one comparison
each. Where an event has a list, one of its entries must match.
"""

from __future__ import annotations

import ipaddress
import json
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from pedigree.localaws.http.protocol.json_documents import is_deep

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


def matches(pattern: Mapping[str, Any], event: Any) -> bool:
    """Return whether an event matches a pattern."""
    return all(
        any(matches(alternative, event) for alternative in expected)
        if key == _OR
        else _fits(expected, _member(event, key))
        for key, expected in pattern.items()
    )


def parse(text: str) -> Mapping[str, Any]:
    """Return the pattern in a text; raise ValueError in AWS's words if it is malformed."""
    try:
        pattern = json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("Event pattern is not valid. Reason: Invalid JSON") from None
    if not isinstance(pattern, dict):
        raise ValueError("Event pattern is not valid. Reason: Filter is not an object")
    if is_deep(pattern):
        raise ValueError("Event pattern is not valid. Reason: Filter is nested too deeply")
    _check(pattern)
    return pattern


def _member(event: Any, key: str) -> Any:
    return event.get(key, _ABSENT) if isinstance(event, Mapping) else _ABSENT


def _fits(expected: Any, value: Any) -> bool:
    if isinstance(expected, Mapping):
        if isinstance(value, list):
            return any(matches(expected, item) for item in value)
        return matches(expected, value)
    return any(_fits_alternative(alternative, value) for alternative in expected)


def _fits_alternative(expected: Any, value: Any) -> bool:
    """Return whether a value, or one item of a list, fits one alternative of a leaf."""
    if isinstance(expected, Mapping) and "exists" in expected:
        return bool((value is not _ABSENT) == expected["exists"])
    if value is _ABSENT:
        return False
    if isinstance(value, list):
        return any(_fits_alternative(expected, item) for item in value)
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
        return not _fits_alternative(expected, value)
    return not any(_equal(item, value) for item in (expected if isinstance(expected, list) else [expected]))


def _numeric(expected: Sequence[Any], value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    pairs = zip(expected[::2], expected[1::2], strict=True)
    return all(_OPERATORS[name](value, bound) for name, bound in pairs)


def _cidr(network: str, value: Any) -> bool:
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
    "prefix": _text(lambda prefix, value: value.startswith(prefix)),
    "suffix": _text(lambda suffix, value: value.endswith(suffix)),
    "equals-ignore-case": _text(lambda text, value: text.lower() == value.lower()),
    "wildcard": _text(_wildcard),
    "anything-but": _anything_but,
    "numeric": _numeric,
    "cidr": _cidr,
}


def _check(pattern: Mapping[str, Any]) -> None:
    for key, expected in pattern.items():
        if key == _OR and isinstance(expected, list) and all(isinstance(item, dict) for item in expected):
            for alternative in expected:
                _check(alternative)
        elif isinstance(expected, dict):
            _check(expected)
        elif not isinstance(expected, list):
            raise ValueError(f'Event pattern is not valid. Reason: "{key}" must be an object or an array')
        elif not expected:
            raise ValueError("Event pattern is not valid. Reason: Empty arrays are not allowed")
        else:
            for alternative in expected:
                _check_alternative(alternative)


def _check_alternative(alternative: Any) -> None:
    """Try an alternative on values of all types; one that fails on any of them is malformed."""
    if isinstance(alternative, list):
        raise ValueError("Event pattern is not valid. Reason: Match value must be String, number, true, false, or null")
    if not isinstance(alternative, dict):
        return
    name = next(iter(alternative), "")
    if len(alternative) != 1 or name not in (*_COMPARISONS, "exists"):
        raise ValueError(f"Event pattern is not valid. Reason: Unrecognized match type {name}")
    if name == "exists" and not isinstance(alternative[name], bool):
        raise ValueError("Event pattern is not valid. Reason: exists match pattern must be either true or false.")
    try:
        if name == "cidr":
            ipaddress.ip_network(alternative[name], strict=False)
        for value in ("text", 1, True, None):
            _fits_alternative(alternative, value)
    except (ValueError, TypeError, KeyError, AttributeError, StopIteration):
        raise ValueError(
            f"Event pattern is not valid. Reason: {name} has a value that it cannot be compared with"
        ) from None
