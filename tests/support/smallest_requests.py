"""The smallest requests that botocore sends: the members that a model requires, with values that it lets pass."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


def smallest_request(shape: Any) -> dict[str, Any]:
    """The required members of an operation's request."""
    return _structure(shape) if shape is not None else {}


def _structure(shape: Any) -> dict[str, Any]:
    members = list(shape.required_members)
    if getattr(shape, "is_tagged_union", False):
        members = list(shape.members)[:1]
    return {name: _value(shape.members[name]) for name in members}


def _value(shape: Any) -> Any:
    return _VALUES[shape.type_name](shape)


def _least(shape: Any) -> int:
    return int(shape.metadata.get("min", 0))


_VALUES: Mapping[str, Callable[[Any], Any]] = {
    "structure": lambda shape: {} if getattr(shape, "is_document_type", False) else _structure(shape),
    "list": lambda shape: [_value(shape.member)] * max(1, _least(shape)),
    "map": lambda shape: {},
    "string": lambda shape: shape.enum[0] if getattr(shape, "enum", None) else "1" * max(1, _least(shape)),
    "blob": lambda shape: b"1" * max(1, _least(shape)),
    "boolean": lambda _shape: True,
    "timestamp": lambda _shape: 0,
    **dict.fromkeys(("integer", "long"), lambda shape: max(1, _least(shape))),
    **dict.fromkeys(("float", "double"), lambda shape: float(max(1, _least(shape)))),
}
