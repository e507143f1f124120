"""Converts members that come as text, in paths, queries, headers and forms, to the types of their shapes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from pedigree.localaws.http.protocol.errors import UnreadableRequestError
from pedigree.localaws.http.protocol.xml import UNWRITABLE

Shape: TypeAlias = Any
_WORDS = {"true": True, "false": False, "1": True, "0": False}


def typed(shape: Shape | None, members: Mapping[str, Any], *, is_flat: bool) -> dict[str, Any]:
    """The members of a request, with those converted that came as text: all of them, if the request is flat."""
    shapes: Mapping[str, Shape] = shape.members if shape is not None else {}
    return {
        name: _typed(shapes[name], value, name) if is_flat or _is_outside_body(shapes.get(name)) else value
        for name, value in members.items()
    }


def _is_outside_body(shape: Shape | None) -> bool:
    return shape is not None and "location" in shape.serialization


def _typed(shape: Shape, value: Any, place: str) -> Any:
    if shape.type_name == "structure" and isinstance(value, dict):
        return {name: _typed(shape.members[name], inner, name) for name, inner in value.items()}
    if shape.type_name == "list":
        return [_typed(shape.member, inner, place) for inner in (value if isinstance(value, list) else [value])]
    if shape.type_name == "map" and isinstance(value, dict):
        return {key: _typed(shape.value, inner, key) for key, inner in value.items()}
    if isinstance(value, str) and UNWRITABLE.search(value):
        raise UnreadableRequestError(f"The value at {place} has characters that no answer could have")
    convert = _CONVERTERS.get(shape.type_name)
    try:
        return convert(value) if convert and isinstance(value, str) else value
    except (ValueError, KeyError):
        raise UnreadableRequestError(f"'{value}' can not be converted to {shape.type_name} at {place}") from None


_CONVERTERS: Mapping[str, Callable[[str], Any]] = {
    **dict.fromkeys(("integer", "long"), int),
    **dict.fromkeys(("float", "double"), float),
    "boolean": lambda text: _WORDS[text.lower()],
}
