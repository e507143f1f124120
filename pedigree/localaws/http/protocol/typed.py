"""What stands in paths, queries and headers is text; its member may be a number, a time, or yes or no."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from pedigree.localaws.http.protocol.errors import UnreadableRequestError
from pedigree.localaws.http.protocol.xml import UNWRITABLE

Shape: TypeAlias = Any
_WORDS = {"true": True, "false": False, "1": True, "0": False}


def typed(shape: Shape | None, members: Mapping[str, Any], *, is_flat: bool) -> dict[str, Any]:
    """The members of a request with the types of their shapes, where they came as text: anywhere, if it is flat."""
    known: Mapping[str, Shape] = shape.members if shape is not None else {}
    return {
        name: _typed(known[name], value, name) if is_flat or _is_outside(known.get(name)) else value
        for name, value in members.items()
    }


def _is_outside(shape: Shape | None) -> bool:
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
    read = _READ.get(shape.type_name)
    try:
        return read(value) if read and isinstance(value, str) else value
    except (ValueError, KeyError):
        raise UnreadableRequestError(f"'{value}' can not be converted to {shape.type_name} at {place}") from None


_READ: Mapping[str, Callable[[str], Any]] = {
    **dict.fromkeys(("integer", "long"), int),
    **dict.fromkeys(("float", "double"), float),
    "boolean": lambda text: _WORDS[text.lower()],
}
