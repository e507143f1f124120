"""Reads the text of an event pattern as EventBridge does, and refuses it in AWS's words. Pure.

The order of checks and their words are those of AWS's open rule engine (aws/event-ruler), which EventBridge runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.http.protocol.json_documents import is_deep
from pedigree.localaws.services.events.pattern_comparisons import comparison
from pedigree.localaws.services.events.pattern_tokens import (
    ARRAY,
    END_ARRAY,
    END_OBJECT,
    LITERAL,
    NUMBER,
    OBJECT,
    TEXT,
    PatternSyntaxError,
    TokenReader,
)

_OR = "$or"
_TOO_DEEP = ValueError("Event pattern is not valid. Reason: Filter is nested too deeply")
_RESERVED_WITHIN_OR = frozenset(
    (
        *("exactly", "equals-ignore-case", "prefix", "suffix", "anything-but", "exists", "wildcard", "numeric", "cidr"),
        *("=", "<", "<=", ">", ">=", "regex", "not-wildcard", "not-equals-ignore-case", "date-after", "date-before"),
        *("date-on-or-after", "date-on-or-before", "in-date-range", "ip-address-in-range", "ip-address-not-in-range"),
    )
)


@lru_cache(maxsize=1024)
def parse(text: str) -> Mapping[str, Any]:
    """Return the pattern in a text; raise ValueError in AWS's words if it is malformed."""
    try:
        reader = TokenReader(text)
        if reader.next().kind != OBJECT:
            raise reader.error("Filter is not an object")
        pattern = _object(reader, is_within_or=False)
    except PatternSyntaxError as error:
        raise ValueError(f"Event pattern is not valid. Reason: {error}") from None
    except RecursionError:
        raise _TOO_DEEP from None
    if is_deep(pattern):
        raise _TOO_DEEP
    return pattern


def _object(reader: TokenReader, *, is_within_or: bool) -> dict[str, Any]:
    """Read the members of an object up to its end."""
    members: dict[str, Any] = {}
    while (token := reader.next()).kind != END_OBJECT:
        name = token.value
        if name == _OR:
            members[name] = _alternatives(reader)
            continue
        if is_within_or and name in _RESERVED_WITHIN_OR:
            raise reader.error(f"{name} is Ruler reserved fieldName which cannot be used inside {_OR}.")
        start = reader.next().kind
        if start == OBJECT:
            members[name] = _object(reader, is_within_or=is_within_or)
        elif start == ARRAY:
            members[name] = _values(reader)
        else:
            raise reader.error(f'"{name}" must be an object or an array')
    if not members:
        raise reader.error("Empty objects are not allowed")
    return members


def _alternatives(reader: TokenReader) -> list[dict[str, Any]]:
    """Read the list after $or."""
    if reader.next().kind != ARRAY:
        raise reader.error(f"It must be an Array followed with {_OR}.")
    objects = []
    while (token := reader.next()).kind != END_ARRAY:
        if token.kind != OBJECT:
            raise reader.error(f"Only JSON object is allowed in array of {_OR} relationship.")
        objects.append(_object(reader, is_within_or=True))
    if len(objects) < 2:
        raise reader.error(f"There must have at least 2 Objects in {_OR} relationship.")
    return objects


def _values(reader: TokenReader) -> list[Any]:
    """Read a leaf: its alternatives up to the end of the list."""
    values: list[Any] = []
    while (token := reader.next()).kind != END_ARRAY:
        if token.kind == OBJECT:
            values.append(comparison(reader))
        elif token.kind == TEXT:
            values.append(reader.text(token))
        elif token.kind in (NUMBER, LITERAL):
            values.append(token.value)
        else:
            raise reader.error("Match value must be String, number, true, false, or null")
    if not values:
        raise reader.error("Empty arrays are not allowed")
    return values


def check_pattern(text: str) -> Mapping[str, Any]:
    """Return the pattern in a text; raise the service's error if it is malformed."""
    try:
        return parse(text)
    except ValueError as error:
        raise ServiceError("InvalidEventPatternException", str(error)) from None
