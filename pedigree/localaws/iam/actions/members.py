"""Finds members of a request by their place: Target.RoleArn, ProductionVariants[].InstanceType."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from typing import Any, TypeAlias

from pedigree.localaws.http.protocol.models import input_shape

Path: TypeAlias = tuple[str, ...]
EACH = "[]"


@cache
def path(text: str) -> Path:
    """A place in a request, from its text; a list's or a map's entries are one more step."""
    return tuple(text.replace(EACH, f".{EACH}").split("."))


def values(members: Any, place: Path) -> Iterator[Any]:
    """The values at a place of a request: none, one, or several."""
    if not place:
        if members is not None:
            yield from members if isinstance(members, (list, tuple)) else (members,)
        return
    head, rest = place[0], place[1:]
    if head == EACH:
        entries = members.values() if isinstance(members, Mapping) else members if isinstance(members, list) else ()
        for entry in entries:
            yield from values(entry, rest)
    elif isinstance(members, Mapping) and head in members:
        yield from values(members[head], rest)


def tags_in(members: Mapping[str, Any]) -> Mapping[str, str]:
    """The tags in a request, in any of the forms that services have for them."""
    merged: dict[str, str] = {}
    specified = (specification.get("Tags") for specification in _tag_specifications(members))
    lists = [members.get("Tags"), members.get("tags"), *specified]
    for tags in lists:
        if isinstance(tags, Mapping):
            merged.update({str(key): str(value) for key, value in tags.items()})
        for tag in tags if isinstance(tags, list) else ():
            lower = {str(key).lower(): value for key, value in tag.items()} if isinstance(tag, Mapping) else {}
            if "key" in lower:
                merged[str(lower["key"])] = str(lower.get("value") or "")
    return merged


def _tag_specifications(members: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The place where EC2's requests have their tags."""
    specifications = members.get("TagSpecifications")
    return [entry for entry in specifications if isinstance(entry, Mapping)] if isinstance(specifications, list) else []


@lru_cache(maxsize=4096)
def places(name: str, operation: str, endings: tuple[str, ...]) -> tuple[Path, ...]:
    """The places in an operation's request whose names end so: RoleArn, VpcConfig.Subnets."""
    shape = input_shape(name, operation)
    wanted = [tuple(ending.split(".")) for ending in endings]
    candidates = _places(shape, (), frozenset()) if shape is not None else ()
    return tuple(place for place in candidates if any(_names(place)[-len(end) :] == end for end in wanted))


def _names(place: Path) -> Path:
    return tuple(step for step in place if step != EACH)


def _places(shape: Any, place: Path, above: frozenset[str]) -> Iterator[Path]:
    if shape.name in above:
        return
    above = above | {shape.name}
    if shape.type_name == "structure":
        for name, member in shape.members.items():
            yield (*place, name)
            yield from _places(member, (*place, name), above)
    elif shape.type_name in ("list", "map"):
        yield from _places(shape.member if shape.type_name == "list" else shape.value, (*place, EACH), above)
