"""Whether a document matches a search expression: filters by operator, nested and combined."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, TypeAlias

Comparison: TypeAlias = Callable[[Any, str], bool]


def matches(document: Mapping[str, Any], expression: Mapping[str, Any]) -> bool:
    """Whether a document matches a search expression."""
    answers = [
        *(_passes(document, entry) for entry in expression.get("Filters", ())),
        *(_has_entry(document, nested) for nested in expression.get("NestedFilters", ())),
        *(matches(document, inner) for inner in expression.get("SubExpressions", ())),
    ]
    return any(answers) if expression.get("Operator") == "Or" and answers else all(answers)


def _has_entry(document: Mapping[str, Any], nested: Mapping[str, Any]) -> bool:
    """Whether one entry of a list passes all filters, whose names begin with the list's."""
    name = nested["NestedPropertyName"]
    filters = [{**entry, "Name": entry["Name"].removeprefix(f"{name}.")} for entry in nested["Filters"]]
    entries = member_at(document, name)
    return isinstance(entries, list) and any(all(_passes(entry, wanted) for wanted in filters) for entry in entries)


def _passes(document: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    return _OPERATORS[wanted.get("Operator", "Equals")](member_at(document, wanted["Name"]), wanted.get("Value", ""))


def member_at(document: Any, name: str) -> Any:
    """The member at a dotted name, whose last part may contain dots; a list of tags is read as a mapping."""
    if isinstance(document, list):
        document = {
            entry["Key"]: entry.get("Value") for entry in document if isinstance(entry, Mapping) and "Key" in entry
        }
    if not isinstance(document, Mapping):
        return None
    if name in document:
        return document[name]
    first, _, rest = name.partition(".")
    return member_at(document.get(first), rest) if rest else None


def comparable(value: Any) -> float | str | None:
    """A number or a time as a number; everything else as text."""
    if value is None or isinstance(value, (int, float)):
        return value
    for read in (float, _seconds):
        with suppress(ValueError):  # neither a number nor a time: it is compared as text
            return read(str(value))
    return str(value)


def _seconds(text: str) -> float:
    moment = dt.datetime.fromisoformat(text.replace("Z", "+00:00"))
    return (moment if moment.tzinfo else moment.replace(tzinfo=dt.timezone.utc)).timestamp()


def _equals(value: Any, wanted: str) -> bool:
    if isinstance(value, bool):
        return str(value).lower() == wanted.lower()
    return value is not None and (str(value) == wanted or comparable(value) == comparable(wanted))


def _ordered(compare: Callable[[float, float], bool]) -> Comparison:
    def ordered(value: Any, wanted: str) -> bool:
        left, right = comparable(value), comparable(wanted)
        return isinstance(left, (int, float)) and isinstance(right, (int, float)) and compare(left, right)

    return ordered


_OPERATORS: Mapping[str, Comparison] = {
    "Equals": _equals,
    "NotEquals": lambda value, wanted: not _equals(value, wanted),
    "Contains": lambda value, wanted: wanted in str(value) if value is not None else False,
    "Exists": lambda value, _wanted: value is not None,
    "NotExists": lambda value, _wanted: value is None,
    "In": lambda value, wanted: any(_equals(value, choice.strip()) for choice in wanted.split(",")),
    "GreaterThan": _ordered(lambda left, right: left > right),
    "GreaterThanOrEqualTo": _ordered(lambda left, right: left >= right),
    "LessThan": _ordered(lambda left, right: left < right),
    "LessThanOrEqualTo": _ordered(lambda left, right: left <= right),
}
