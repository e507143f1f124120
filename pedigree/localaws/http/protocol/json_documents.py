"""Reads the JSON of a request: an object of values that can be written again."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from pedigree.localaws.http.protocol.errors import UnreadableRequestError

_DEEPEST = 100
# More than any operation takes; an empty list is three bytes of a hostile request, and sixty of memory.
_MOST_VALUES = 200_000
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_HALF_CHARACTER = re.compile(rb"\\u[dD][89a-fA-F]")


def document(content: bytes) -> dict[str, Any]:
    """The object in a body; an empty body is an empty object."""
    if _separators(content) > _MOST_VALUES and _separators(_STRING.sub(b"", content)) > _MOST_VALUES:
        raise UnreadableRequestError(f"The request has more than {_MOST_VALUES} values")
    document = value(content or b"{}")
    if not isinstance(document, dict):
        raise UnreadableRequestError("Start of structure or map found where not expected")
    return document


def value(content: bytes) -> Any:
    """The value of a JSON text; UnreadableRequestError if it is no JSON, or cannot be written again."""
    try:
        read = json.loads(content.decode(), parse_constant=_no_number, parse_float=_finite)
        if _HALF_CHARACTER.search(content):
            json.dumps(read, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise UnreadableRequestError("The request is no JSON") from None
    if content.count(b"[") + content.count(b"{") > _DEEPEST and is_deep(read):
        raise UnreadableRequestError(f"The request is nested deeper than {_DEEPEST} levels")
    return read


def _separators(content: bytes) -> int:
    """How many values there can be at most."""
    return sum(content.count(mark) for mark in (b",", b"[", b"{"))


def is_deep(read: Any) -> bool:
    """Whether a value is nested deeper than a request may be."""
    level = [read]
    for _ in range(_DEEPEST):
        level = [inner for outer in level if isinstance(outer, (dict, list)) for inner in _within(outer)]
    return bool(level)


def _within(read: Any) -> Any:
    return read.values() if isinstance(read, dict) else read


def _no_number(text: str) -> None:
    raise ValueError(text)


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(text)
    return number
