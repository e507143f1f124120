"""Validates a request against botocore's model, and refuses it in the service's words.

First types: a value of another type than its member is unreadable. Then all constraints at once, as the service counts
them: required members, lengths, ranges, patterns, enumerations. A member that the model does not know is refused, too:
the service may ignore it, which hides a mistake.
"""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

from botocore.utils import parse_timestamp

from pedigree.language.shapes import PYTHON
from pedigree.localaws.http.protocol.errors import InvalidRequestError, UnreadableRequestError
from pedigree.localaws.http.protocol.model_patterns import fits

Shape: TypeAlias = Any
_MOST_LISTED = 10


def checked(shape: Shape | None, request: Any) -> dict[str, Any]:
    """The request without members that are null; ServiceError if it does not fit its shape."""
    if shape is None:
        return {}
    if not isinstance(request, dict):
        raise UnreadableRequestError("Start of structure or map found where not expected")
    _check_types(shape, request, "")
    problems = list(_problems(shape, request, ""))
    if problems:
        count = f"{len(problems)} validation error{'s' if len(problems) > 1 else ''} detected: "
        raise InvalidRequestError(count + "; ".join(problems[:_MOST_LISTED]))
    return {name: _without_nulls(entry) for name, entry in request.items() if entry is not None}


def _without_nulls(value: Any) -> Any:
    """A value without nulls in it: a member that is null counts as absent."""
    if isinstance(value, dict):
        return {name: _without_nulls(entry) for name, entry in value.items() if entry is not None}
    return [_without_nulls(entry) for entry in value] if isinstance(value, list) else value


def _check_types(shape: Shape, value: Any, place: str) -> None:
    if value is None:
        return
    if not isinstance(value, _TYPES[shape.type_name]) or (isinstance(value, bool) and shape.type_name != "boolean"):
        raise UnreadableRequestError(f"{_kind(value)} can not be converted to {shape.type_name}{_at(place)}")
    if not _CAN_BE.get(shape.type_name, _anything)(value):
        raise UnreadableRequestError(f"'{str(value)[:100]}' can not be converted to {shape.type_name}{_at(place)}")
    for inner, shape_within, entry in _entries(shape, value, place):
        if shape_within is None:
            raise InvalidRequestError(f"1 validation error detected: '{inner}' is not known to {shape.name}")
        _check_types(shape_within, entry, inner)


def _at(place: str) -> str:
    return f" at {place}" if place else ""


def _anything(_value: Any) -> bool:
    return True


def _is_moment(value: Any) -> bool:
    """Whether a value is a time: seconds since 1970, or a text that can be parsed as one."""
    if isinstance(value, dt.datetime):
        return True
    try:
        parse_timestamp(value)
    except (ValueError, OverflowError, OSError, RuntimeError):  # the last for a year that no clock has
        return False
    return True


def _is_blob(value: Any) -> bool:
    """Whether a text is base64."""
    try:
        return isinstance(value, bytes) or bool(base64.b64decode(value, validate=True)) or not value
    except ValueError:
        return False


def _problems(shape: Shape, value: Any, place: str) -> Iterator[str]:
    if shape.type_name == "structure":
        for name in shape.required_members:
            if value.get(name) is None:
                yield f"Value null at '{_join(place, name)}' failed to satisfy constraint: Member must not be null"
    for constraint in _constraints(shape, value):
        yield f"Value {_quoted(shape, value)} at '{place}' failed to satisfy constraint: Member must {constraint}"
    for inner, shape_within, entry in _entries(shape, value, place):
        if entry is not None:
            yield from _problems(shape_within, entry, inner)
        elif shape.type_name != "structure":
            yield f"Value null at '{inner}' failed to satisfy constraint: Member must not be null"


def _constraints(shape: Shape, value: Any) -> Iterator[str]:
    limits = shape.metadata
    if shape.type_name in ("string", "list", "map", "blob"):
        yield from _out_of_bounds(limits, len(value), "have length")
    elif shape.type_name in ("integer", "long", "float", "double"):
        yield from _out_of_bounds(limits, value, "have value")
    if shape.type_name == "string" and "pattern" in limits and not fits(limits["pattern"], value):
        yield f"satisfy regular expression pattern: {limits['pattern']}"
    if getattr(shape, "enum", None) and value not in shape.enum:
        yield f"satisfy enum value set: [{', '.join(shape.enum)}]"


def _out_of_bounds(limits: Mapping[str, Any], size: float, what: str) -> Iterator[str]:
    if "max" in limits and size > limits["max"]:
        yield f"{what} less than or equal to {limits['max']}"
    if "min" in limits and size < limits["min"]:
        yield f"{what} greater than or equal to {limits['min']}"


def _entries(shape: Shape, value: Any, place: str) -> Iterator[tuple[str, Shape | None, Any]]:
    enter = _INSIDE.get(shape.type_name)
    return enter(shape, value, place) if enter else iter(())


def _members(shape: Shape, value: Any, place: str) -> Iterator[tuple[str, Shape | None, Any]]:
    for name, entry in value.items():
        yield _join(place, name), shape.members.get(name), entry


def _items(shape: Shape, value: Any, place: str) -> Iterator[tuple[str, Shape | None, Any]]:
    for index, entry in enumerate(value, start=1):
        yield f"{place}.{index}.member", shape.member, entry


def _pairs(shape: Shape, value: Any, place: str) -> Iterator[tuple[str, Shape | None, Any]]:
    for key, entry in value.items():
        yield f"{place}.key", shape.key, key
        yield f"{place}.{key}.member", shape.value, entry


def _join(place: str, name: str) -> str:
    """A member's place, as the service writes it: with a small first letter."""
    lower = name[:1].lower() + name[1:]
    return f"{place}.{lower}" if place else lower


def _quoted(shape: Shape, value: Any) -> str:
    return f"'{value}'" if shape.type_name in ("string", "integer", "long", "float", "double") else f"'{value!r}'"


def _kind(value: Any) -> str:
    return _KINDS.get(type(value), type(value).__name__).upper() + "_VALUE"


_KINDS: Mapping[type, str] = {
    str: "string",
    bool: "boolean",
    int: "number",
    float: "decimal",
    dict: "map",
    list: "list",
}
_TYPES = {**PYTHON, "timestamp": (int, float, str, dt.datetime), "blob": (str, bytes)}
_CAN_BE: Mapping[str, Callable[[Any], bool]] = {
    "integer": lambda value: -(2**31) <= value < 2**31,
    "long": lambda value: -(2**63) <= value < 2**63,
    "timestamp": _is_moment,
    "blob": _is_blob,
}
_INSIDE: Mapping[str, Callable[[Shape, Any, str], Iterator[tuple[str, Shape | None, Any]]]] = {
    "structure": _members,
    "list": _items,
    "map": _pairs,
}
