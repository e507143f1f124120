"""Puts a single fault into a valid request, which the service then has to refuse."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from pedigree.localaws.http.protocol.model_patterns import fits

Shape = Any
Draw = Callable[[st.SearchStrategy[Any]], Any]
_NESTED: Any = []
for _ in range(300):
    _NESTED = [_NESTED]
_NUMBERS = ("integer", "long", "boolean")
_OF_TEXT = ("missing", "enum", "pattern", "much", "little")
_FOREIGN: Mapping[str, tuple[Any, ...]] = {
    "structure": ("x", 1, [], True, [{}], _NESTED),
    "list": ("x", 1, {}, True, {"a": []}),
    "map": ("x", 1, [], False, _NESTED),
    "string": (1, 1.5, True, {}, [], ["x"], {"a": "b"}, _NESTED),
    "integer": ("x", "1", 1.5, True, {}, [1], 2**40, 10**400),
    "long": ("x", "1", 1.5, True, {}, [1], 2**70),
    "float": ("x", True, {}, []),
    "double": ("x", True, {}, []),
    "boolean": ("yes", 1, 0, {}, [], "true"),
    "timestamp": ({}, [], True, "yesterday", "99999-99-99"),
    "blob": (1, {}, [], True, "not base64!"),
}


@dataclass(frozen=True)
class Location:
    """Where a request can have a fault: the container, the name or index in it, and the shape that belongs there."""

    holder: Any
    name: Any
    shape: Shape
    is_required: bool


def with_one_fault(draw: Draw, shape: Shape, members: Mapping[str, Any], *, is_text: bool) -> dict[str, Any] | None:
    """The request with one fault; None where none is possible, as in a protocol that has only text."""
    request: dict[str, Any] = copy.deepcopy(dict(members))
    ways = [(place, way) for place in _locations(shape, request) for way in _fault_kinds(place)]
    if is_text:
        ways = [(place, way) for place, way in ways if _is_text(place.shape.type_name, way)]
    else:
        ways.append((Location(request, "NoSuchMember", None, False), "unknown"))
    if not ways:
        return None
    place, way = draw(st.sampled_from(ways))
    wrong = "x" if is_text and way == "type" else draw(st.sampled_from(_wrong_values(place, way)))
    if way == "missing":
        del place.holder[place.name]
    else:
        place.holder[place.name] = wrong
    return request


def _is_text(kind: str, way: str) -> bool:
    """Whether a protocol can express the fault in which all values are text and lists have no length of their own."""
    return kind in _NUMBERS if way == "type" else way in _OF_TEXT and kind != "list"


def _locations(shape: Shape, value: Any) -> Iterator[Location]:
    if shape.type_name == "structure":
        for name in value:
            member = shape.members[name]
            yield Location(value, name, member, name in shape.required_members)
            yield from _locations(member, value[name])
    elif shape.type_name in ("list", "map"):
        inner = shape.member if shape.type_name == "list" else shape.value
        for key in range(len(value)) if shape.type_name == "list" else value:
            yield Location(value, key, inner, False)
            yield from _locations(inner, value[key])


def _fault_kinds(place: Location) -> Iterator[str]:
    limits, kind = place.shape.metadata, place.shape.type_name
    yield "type"
    if place.is_required:
        yield from ("missing", "null")
    if getattr(place.shape, "enum", None):
        yield "enum"
    if "pattern" in limits and _unfitting(place.shape):
        yield "pattern"
    if "max" in limits and limits["max"] < 10_000 and kind in _SIZED:
        yield "much"
    if limits.get("min", 0) > 0 and kind in _SIZED:
        yield "little"


def _wrong_values(place: Location, way: str) -> list[Any]:
    kind, limits = (place.shape.type_name, place.shape.metadata) if place.shape is not None else ("", {})
    found: dict[str, Callable[[], list[Any]]] = {
        "type": lambda: list(_FOREIGN[kind]),
        "missing": lambda: [None],
        "null": lambda: [None],
        "enum": lambda: ["NoSuchValue", "", "x" * 500],
        "pattern": lambda: _unfitting(place.shape),
        "much": lambda: [_SIZED[kind](limits["max"] + 1, place)],
        "little": lambda: [_SIZED[kind](limits["min"] - 1, place)],
        "unknown": lambda: [1, "x", {}, [None], _NESTED],
    }
    return found[way]()


def _unfitting(shape: Shape) -> list[str]:
    some = ("\x00", "§", "no space", "\n", "a/b:c d", "_" * 5, "")
    return [text for text in some if not fits(shape.metadata["pattern"], text)]


def _many(size: int, place: Location) -> list[Any]:
    here = place.holder[place.name]
    return (here * (size + 1))[:size] if here else ["x"] * size


_SIZED: Mapping[str, Callable[[int, Location], Any]] = {
    "string": lambda size, _place: "a" * size,
    "list": _many,
    "integer": lambda size, _place: size,
    "long": lambda size, _place: size,
}
