"""Reads requests of the query protocol: flat names as Tags.member.1.Key become members, by botocore's model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

Flat: TypeAlias = Mapping[str, str]


def members(shape: Any, flat: Flat, *, is_ec2: bool) -> dict[str, Any]:
    """The members of a request."""
    read = _read(shape, flat, "", is_ec2) if shape is not None else {}
    return read if isinstance(read, dict) else {}


def _read(shape: Any, flat: Flat, place: str, is_ec2: bool) -> Any:
    """The value at a place; None if there is none."""
    if shape.type_name == "structure":
        read = {
            name: _read(member, flat, _join(place, _wire_name(name, member, is_ec2)), is_ec2)
            for name, member in shape.members.items()
            if not place or any(key.startswith(f"{place}.") for key in flat)
        }
        return {name: value for name, value in read.items() if value is not None} or None
    if shape.type_name == "list":
        return _items(shape, flat, place, is_ec2)
    if shape.type_name == "map":
        return _pairs(shape, flat, place, is_ec2)
    return flat.get(place)


def _items(shape: Any, flat: Flat, place: str, is_ec2: bool) -> list[Any] | None:
    """A list's items, counted from one; outside of EC2 most lists have a word before the number."""
    if not is_ec2 and not shape.serialization.get("flattened"):
        place = f"{place}.{shape.member.serialization.get('name', 'member')}"
    items: list[Any] = []
    while (value := _read(shape.member, flat, f"{place}.{len(items) + 1}", is_ec2)) is not None:
        items.append(value)
    return items or None


def _pairs(shape: Any, flat: Flat, place: str, is_ec2: bool) -> dict[str, Any] | None:
    place = place if shape.serialization.get("flattened") else f"{place}.entry"
    key_name, value_name = shape.key.serialization.get("name", "key"), shape.value.serialization.get("name", "value")
    pairs: dict[str, Any] = {}
    while (key := flat.get(f"{place}.{len(pairs) + 1}.{key_name}")) is not None:
        pairs[key] = _read(shape.value, flat, f"{place}.{len(pairs) + 1}.{value_name}", is_ec2)
    return pairs or None


def _wire_name(name: str, member: Any, is_ec2: bool) -> str:
    """A member's name on the wire; EC2 writes it with a capital."""
    names = member.serialization
    if is_ec2:
        return str(names.get("queryName") or _capital(names.get("name", name)))
    if member.type_name == "list" and names.get("flattened"):
        return str(member.member.serialization.get("name") or names.get("name", name))
    return str(names.get("name", name))


def _capital(name: str) -> str:
    return f"{name[:1].upper()}{name[1:]}"


def _join(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name
