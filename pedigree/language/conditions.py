"""Parses the conditions of a Condition step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from pedigree.language.definition import Step
from pedigree.language.errors import ExpressionError
from pedigree.language.expressions import Value, parse
from pedigree.language.text import brief

SIGNS: Mapping[str, str] = {
    "Equals": "=",
    "GreaterThan": ">",
    "GreaterThanOrEqualTo": "≥",
    "LessThan": "<",
    "LessThanOrEqualTo": "≤",
}
_DEEPEST = 20


@dataclass(frozen=True)
class Comparison:
    """Two values and the relation that must hold between them."""

    type: str
    left: Value
    right: Value


@dataclass(frozen=True)
class In:
    """A value that must be one of several choices."""

    value: Value
    choices: tuple[Value, ...]


@dataclass(frozen=True)
class Not:
    """A condition that must not hold."""

    condition: Condition


@dataclass(frozen=True)
class Or:
    """Conditions of which at least one must hold."""

    conditions: tuple[Condition, ...]


Condition: TypeAlias = Comparison | In | Not | Or


def conditions(step: Step) -> list[Condition]:
    """The conditions of a step, all of which must hold."""
    written = step.arguments.get("Conditions", [])
    if not isinstance(written, list):
        raise ExpressionError(f"{step.pointer}/Arguments/Conditions is not a list", "write […]")
    return [read_condition(document) for document in written]


def read_condition(document: Any, depth: int = 0) -> Condition:
    """The condition in a JSON object; ExpressionError if it is malformed."""
    kind = document.get("Type") if isinstance(document, dict) else None
    if not isinstance(kind, str) or kind not in _READERS or depth > _DEEPEST:
        remedy = f"write an object whose Type is {', '.join(_READERS)}"
        raise ExpressionError(f"{brief(document)} is not a condition", remedy)
    try:
        return _READERS[kind](document, depth)
    except KeyError as error:
        raise ExpressionError(f"a condition of type {kind} has no {error.args[0]}", "add it") from None


def _comparison(document: Mapping[str, Any], _depth: int) -> Condition:
    return Comparison(document["Type"], parse(document["LeftValue"]), parse(document["RightValue"]))


def _in(document: Mapping[str, Any], _depth: int) -> Condition:
    return In(parse(document["QueryValue"]), tuple(parse(choice) for choice in _list(document, "Values")))


def _not(document: Mapping[str, Any], depth: int) -> Condition:
    return Not(read_condition(document["Condition"], depth + 1))


def _or(document: Mapping[str, Any], depth: int) -> Condition:
    return Or(tuple(read_condition(inner, depth + 1) for inner in _list(document, "Conditions")))


def _list(document: Mapping[str, Any], key: str) -> list[Any]:
    items = document[key]
    if not isinstance(items, list):
        raise ExpressionError(f"{key} of a condition is {brief(items)}", "write a list")
    return items


_READERS: Mapping[str, Callable[[Mapping[str, Any], int], Condition]] = {
    **dict.fromkeys(SIGNS, _comparison),
    "In": _in,
    "Not": _not,
    "Or": _or,
}
