"""JSON pointers (RFC 6901) into documents, and looking values up by them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def escape(key: str) -> str:
    """A key as one part of a pointer."""
    return key.replace("~", "~0").replace("/", "~1")


def parts(pointer: str) -> Iterator[str]:
    """The keys and indexes that a pointer goes through."""
    for part in pointer.split("/")[1:]:
        yield part.replace("~1", "/").replace("~0", "~")


def look_up(document: Any, pointer: str) -> Any:
    """The value that a pointer leads to, None if there is none."""
    value = document
    for part in parts(pointer):
        value = _entry(value, part) if isinstance(value, list) else at(value, part)
    return value


def at(value: Any, *keys: str) -> Any:
    """The value under nested keys, None if there is none. A list has no keys."""
    for key in keys:
        if not isinstance(value, (dict, Mapping)):
            return None
        value = value.get(key)
    return value


def entries(value: Any) -> list[tuple[int, Mapping[str, Any]]]:
    """The objects in a JSON list, with their indexes."""
    if type(value) is not list:
        return []
    return [(index, entry) for index, entry in enumerate(value) if isinstance(entry, (dict, Mapping))]


def _entry(value: list[Any], part: str) -> Any:
    return value[int(part)] if part.isascii() and part.isdigit() and int(part) < len(value) else None
