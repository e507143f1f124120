"""What SageMaker's API model says against a step's request, each fault at its exact place.

The model knows members, types, lengths, ranges, counts, patterns and choices. An expression has the type of what it
refers to; a parameter brings its default and its choices, which must fit wherever it is used.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import Any

from pedigree.checks.reading import brief
from pedigree.language import model, shapes
from pedigree.language.definition import Definition, Step
from pedigree.language.errors import ExpressionError, LanguageError, UnresolvedError
from pedigree.language.expressions import Join, ParameterReference, Value, escaped, is_expression, parse, references
from pedigree.language.model import Shape
from pedigree.language.references import UNKNOWN, resolve
from pedigree.language.requests import with_defaults
from pedigree.language.shapes import PYTHON
from pedigree.language.shapes import kind as type_of

_FITTING = {"Float": ("Float", "Integer")}
# What a search's training jobs cannot have, which has a rule of its own.
DEBUG_MEMBERS = ("DebugHookConfig", "DebugRuleConfigurations", "ProfilerConfig", "ProfilerRuleConfigurations")
_NUMBERS = ("integer", "long", "float", "double")
_PYTHON = {**PYTHON, "timestamp": (str, int, float), "blob": str}


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a value in a request."""

    kind: str
    pointer: str
    cause: str
    remedy: str


def step_faults(definition: Definition, step: Step) -> Iterator[Fault]:
    """The faults of a step's request, where an operation of the API stands behind it."""
    operation = shapes.OPERATIONS.get(step.type)
    if operation:
        shape = model.input_shape(operation.create)
        yield from _Request(definition, operation.name_member).faults(
            dict(step.arguments), shape, f"{step.pointer}/Arguments"
        )


def near(name: str, known: Any) -> str:
    """A hint at what was meant, as the end of a sentence's first part."""
    close = get_close_matches(str(name), list(known), n=1)
    return f"did you mean {close[0]}?" if close else ""


class _Request:
    def __init__(self, definition: Definition, chosen_by_service: str) -> None:
        self._definition = definition
        self._chosen = chosen_by_service

    def faults(self, value: Any, shape: Shape, pointer: str) -> Iterator[Fault]:
        if is_expression(value):
            yield from self._expression(value, shape, pointer)
            return
        if not _is(value, shape):
            cause = f"{brief(value)} is no {type_of(shape)}"
            yield Fault("type", pointer, cause, f"write {_example(shape)}")
            return
        yield from (Fault(kind, pointer, *told) for kind, *told in limits(value, shape))
        inside = _INSIDE.get(shape.type_name)
        if inside:
            yield from inside(self, value, shape, pointer)

    def structure(self, value: Mapping[str, Any], shape: Shape, pointer: str) -> Iterator[Fault]:
        for name in shape.required_members:
            if name not in value and name != self._chosen:
                yield Fault("missing", pointer, f"{shape.name} needs {name}", f"add {name}")
        for name, member in value.items():
            inner = f"{pointer}/{escaped(name)}"
            if name in shape.members:
                yield from self.faults(member, shape.members[name], inner)
            elif shape.name != "HyperParameterTrainingJobDefinition" or name not in DEBUG_MEMBERS:
                hint = near(name, shape.members)
                yield Fault("unknown", inner, f"{shape.name} has no member {name}", hint or "remove it")

    def list(self, value: list[Any], shape: Shape, pointer: str) -> Iterator[Fault]:
        for index, item in enumerate(value):
            yield from self.faults(item, shape.member, f"{pointer}/{index}")

    def map(self, value: Mapping[str, Any], shape: Shape, pointer: str) -> Iterator[Fault]:
        for key, item in value.items():
            inner = f"{pointer}/{escaped(key)}"
            yield from (Fault(kind, inner, *told) for kind, *told in limits(key, shape.key))
            yield from self.faults(item, shape.value, inner)

    def _expression(self, value: Any, shape: Shape, pointer: str) -> Iterator[Fault]:
        try:
            expression = parse(value)
        except ExpressionError:
            return  # a rule of its own tells that
        expected, given = type_of(shape), self._given(expression)
        if given not in (UNKNOWN, expected) and given not in _FITTING.get(expected, ()):
            remedy = "join it with nothing to make it text" if expected == "String" else "refer to another value"
            yield Fault("mistyped", pointer, f"{expected} is needed here, and {brief(value)} is {given}", remedy)
        elif isinstance(expression, ParameterReference):
            yield from self._parameter(expression.name, shape, pointer)
        elif isinstance(expression, Join):
            filled = self._filled(value)
            yield from (Fault(kind, pointer, *told) for kind, *told in limits(filled, shape) if filled is not None)

    def _filled(self, value: Any) -> str | None:
        try:
            filled = with_defaults(self._definition, value)
        except LanguageError:
            return None
        return filled if isinstance(filled, str) else None

    def _parameter(self, name: str, shape: Shape, pointer: str) -> Iterator[Fault]:
        parameter = self._definition.parameters.get(name)
        if not parameter:
            return
        index = list(self._definition.parameters).index(name)
        places = {"DefaultValue": parameter.default}
        places |= {f"EnumValues/{number}": choice for number, choice in enumerate(parameter.choices)}
        for place, value in places.items():
            if value is not None and _is(value, shape):
                for _, cause, remedy in limits(value, shape):
                    told = f"{cause} at {pointer}, where parameter {name} is used"
                    yield Fault("default", f"{self._pointer(name, index)}/{place}", told, remedy)

    def _pointer(self, name: str, index: int) -> str:
        written = self._definition.document.get("Parameters", [])
        at = next((n for n, one in enumerate(written) if isinstance(one, dict) and one.get("Name") == name), index)
        return f"/Parameters/{at}"

    def _given(self, expression: Value) -> str:
        if isinstance(expression, Join):
            return "String"
        try:
            return next((resolve(self._definition, one) for one in references(expression)), UNKNOWN)
        except UnresolvedError:
            return UNKNOWN


def limits(value: Any, shape: Shape) -> Iterator[tuple[str, str, str]]:
    """The limits of a shape that a plain value breaks: kind, cause and remedy."""
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if shape.type_name in _NUMBERS:
        if (least is not None and value < least) or (most is not None and value > most):
            yield "range", f"{brief(value)} is not within {_span(least, most)}", "choose a number within"
        return
    if isinstance(value, (str, list, dict)):
        what = "characters" if isinstance(value, str) else "entries"
        if (least is not None and len(value) < least) or (most is not None and len(value) > most):
            kind = "length" if what == "characters" else "count"
            yield kind, f"{shape.name} has {len(value)} {what} and may have {_span(least, most)}", "keep within"
    if isinstance(value, str):
        yield from _text_limits(value, shape)


def _text_limits(value: str, shape: Shape) -> Iterator[tuple[str, str, str]]:
    if shape.enum and value not in shape.enum:
        shown = ", ".join(shape.enum) if len(shape.enum) <= 8 else f"one of the {len(shape.enum)} that there are"
        kind = "machine" if shape.name.endswith("InstanceType") else "choice"
        yield kind, f"{brief(value)} is no {shape.name}", near(value, shape.enum) or f"use {shown}"
    pattern = _pattern(shape.metadata.get("pattern", ""))
    if pattern and not pattern.fullmatch(value) and not shape.enum:
        yield "pattern", f"{brief(value)} is no {shape.name}", f"write it so that it matches {pattern.pattern}"


@cache
def _pattern(written: str) -> re.Pattern[str] | None:
    """A pattern of the model; those of another dialect are left to the service."""
    try:
        return re.compile(written) if written else None
    except re.error:
        return None


def _is(value: Any, shape: Shape) -> bool:
    right = isinstance(value, _PYTHON[shape.type_name])
    return right and (not isinstance(value, bool) or shape.type_name == "boolean")


def _example(shape: Shape) -> str:
    examples = {"structure": "an object {…}", "map": "an object {…}", "list": "a list […]", "boolean": "true or false"}
    examples |= {"string": "a text in quotes", "integer": "a whole number", "long": "a whole number"}
    return examples.get(shape.type_name, "a number" if shape.type_name in _NUMBERS else "a text in quotes")


def _span(least: Any, most: Any) -> str:
    if most is None:
        return f"{least} or more"
    return f"at most {most}" if not least else f"{least} to {most}"


_INSIDE: Mapping[str, Callable[[_Request, Any, Shape, str], Iterator[Fault]]] = {
    "structure": _Request.structure,
    "list": _Request.list,
    "map": _Request.map,
}
