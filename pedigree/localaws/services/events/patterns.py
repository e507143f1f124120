"""Event patterns: whether an event is one that a rule, or a filter, is for. Pure.

A pattern is an object of the form of the event. At its leaves are lists of what may stand there: values, or objects
with one comparison each. Where an event has a list, one of its entries must fit.
"""

from __future__ import annotations

import ipaddress
import json
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from pedigree.localaws.http.protocol.documents import is_deep

_ABSENT = object()
_OR = "$or"
_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    "=": operator.eq,
    ">": operator.gt,
    ">=": operator.ge,
}
Comparison: TypeAlias = Callable[[Any, Any], bool]


def matches(pattern: Mapping[str, Any], event: Any) -> bool:
    """Whether an event fits a pattern."""
    return all(
        any(matches(one, event) for one in wanted) if key == _OR else _fits(wanted, _member(event, key))
        for key, wanted in pattern.items()
    )


def checked(text: str) -> Mapping[str, Any]:
    """The pattern that a text holds; ValueError says why it is none."""
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


def _fits(wanted: Any, value: Any) -> bool:
    if isinstance(wanted, Mapping):
        if isinstance(value, list):
            return any(matches(wanted, one) for one in value)
        return matches(wanted, value)
    return any(_is_as(one, value) for one in wanted)


def _is_as(wanted: Any, value: Any) -> bool:
    """Whether a value, or one of a list of them, is as an entry of a leaf says."""
    if isinstance(wanted, Mapping) and "exists" in wanted:
        return bool((value is not _ABSENT) == wanted["exists"])
    if value is _ABSENT:
        return False
    if isinstance(value, list):
        return any(_is_as(wanted, one) for one in value)
    if not isinstance(wanted, Mapping):
        return _equal(wanted, value)
    return all(_COMPARISONS[name](argument, value) for name, argument in wanted.items())


def _equal(wanted: Any, value: Any) -> bool:
    """Equal, and both or neither a boolean: 1 is not true."""
    return bool(wanted == value) and isinstance(wanted, bool) == isinstance(value, bool)


def _text(compare: Callable[[str, str], bool]) -> Comparison:
    """A comparison of texts: with one, with any of several, or without regard to capitals."""

    def compared(wanted: Any, value: Any) -> bool:
        if not isinstance(value, str):
            return False
        if isinstance(wanted, Mapping):
            return compared_all(wanted["equals-ignore-case"], value)
        return any(compare(one, value) for one in ([wanted] if isinstance(wanted, str) else wanted))

    def compared_all(wanted: Any, value: str) -> bool:
        texts = [wanted] if isinstance(wanted, str) else wanted
        return any(compare(one.lower(), value.lower()) for one in texts)

    return compared


def _anything_but(wanted: Any, value: Any) -> bool:
    if isinstance(wanted, Mapping):
        return not _is_as(wanted, value)
    return not any(_equal(one, value) for one in (wanted if isinstance(wanted, list) else [wanted]))


def _numeric(wanted: Sequence[Any], value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    pairs = zip(wanted[::2], wanted[1::2], strict=True)
    return all(_OPERATORS[name](value, bound) for name, bound in pairs)


def _cidr(wanted: str, value: Any) -> bool:
    try:
        return ipaddress.ip_address(value) in ipaddress.ip_network(wanted, strict=False)
    except ValueError:
        return False


def _wildcard(wanted: str, value: str) -> bool:
    """Piece by piece from the left, each where it comes first: no pattern takes long, whatever it is held against."""
    first, *others = _pieces(wanted)
    if not others:
        return value == first
    *middle, last = others
    at, end = len(first), len(value) - len(last)
    if at > end or not (value.startswith(first) and value.endswith(last)):
        return False
    for piece in middle:
        found = value.find(piece, at, end)
        if found < 0:
            return False
        at = found + len(piece)
    return True


def _pieces(wanted: str) -> list[str]:
    """What stands between the stars that are not escaped."""
    pieces = [""]
    for part in re.findall(r"\\[*\\]|\*|[^*\\]+|\\", wanted):
        if part == "*":
            pieces.append("")
        else:
            pieces[-1] += part[1:] if len(part) > 1 and part[0] == "\\" else part
    return pieces


_COMPARISONS: Mapping[str, Comparison] = {
    "prefix": _text(lambda wanted, value: value.startswith(wanted)),
    "suffix": _text(lambda wanted, value: value.endswith(wanted)),
    "equals-ignore-case": _text(lambda wanted, value: wanted.lower() == value.lower()),
    "wildcard": _text(_wildcard),
    "anything-but": _anything_but,
    "numeric": _numeric,
    "cidr": _cidr,
}


def _check(pattern: Mapping[str, Any]) -> None:
    for key, wanted in pattern.items():
        if key == _OR and isinstance(wanted, list) and all(isinstance(one, dict) for one in wanted):
            for one in wanted:
                _check(one)
        elif isinstance(wanted, dict):
            _check(wanted)
        elif not isinstance(wanted, list):
            raise ValueError(f'Event pattern is not valid. Reason: "{key}" must be an object or an array')
        elif not wanted:
            raise ValueError("Event pattern is not valid. Reason: Empty arrays are not allowed")
        else:
            for one in wanted:
                _check_entry(one)


def _check_entry(entry: Any) -> None:
    """An entry of a leaf is tried on values of all kinds: what fails on one is no comparison."""
    if isinstance(entry, list):
        raise ValueError("Event pattern is not valid. Reason: Match value must be String, number, true, false, or null")
    if not isinstance(entry, dict):
        return
    name = next(iter(entry), "")
    known = {**_COMPARISONS, "exists": None}
    if len(entry) != 1 or name not in known:
        raise ValueError(f"Event pattern is not valid. Reason: Unrecognized match type {name}")
    if name == "exists" and not isinstance(entry[name], bool):
        raise ValueError("Event pattern is not valid. Reason: exists match pattern must be either true or false.")
    try:
        if name == "cidr":
            ipaddress.ip_network(entry[name], strict=False)
        for value in ("text", 1, True, None):
            _is_as(entry, value)
    except (ValueError, TypeError, KeyError, AttributeError, StopIteration):
        raise ValueError(
            f"Event pattern is not valid. Reason: {name} has a value that it cannot be compared with"
        ) from None
