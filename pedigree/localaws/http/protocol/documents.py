"""A request's JSON as a service takes it: an object of values that can be written down again."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from pedigree.localaws.http.protocol.errors import UnreadableRequestError

_DEEPEST = 100
_HALF_CHARACTER = re.compile(rb"\\u[dD][89a-fA-F]")


def document(content: bytes) -> dict[str, Any]:
    """The object that a body holds; nothing at all is an empty one."""
    told = value(content or b"{}")
    if not isinstance(told, dict):
        raise UnreadableRequestError("Start of structure or map found where not expected")
    return told


def value(content: bytes) -> Any:
    """Whatever JSON a text holds, unless it is no JSON, or none that can be kept."""
    try:
        read = json.loads(content.decode(), parse_constant=_no_number, parse_float=_finite)
        if _HALF_CHARACTER.search(content):
            json.dumps(read, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise UnreadableRequestError("The request is no JSON") from None
    if content.count(b"[") + content.count(b"{") > _DEEPEST and is_deep(read):
        raise UnreadableRequestError(f"The request is nested deeper than {_DEEPEST} levels")
    return read


def is_deep(read: Any) -> bool:
    """Whether something is nested deeper than anybody has to follow it."""
    level = [read]
    for _ in range(_DEEPEST):
        level = [inner for one in level if isinstance(one, (dict, list)) for inner in _within(one)]
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
