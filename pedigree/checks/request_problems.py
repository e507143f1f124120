"""What is wrong with the requests of steps by SageMaker's API model, each problem at its exact place.

The model has members, types, lengths, ranges, counts, patterns and choices. An expression has the type of the value
that it refers to. A parameter brings its default and its choices, which must be valid wherever it is used.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Literal, TypeAlias

from pedigree.language import model, shapes
from pedigree.language.defaults import with_defaults
from pedigree.language.definition import Definition, Step
from pedigree.language.errors import ExpressionError, LanguageError, UnresolvedError
from pedigree.language.expressions import Join, ParameterReference, Value, is_expression, parse, references
from pedigree.language.model import Shape
from pedigree.language.near import did_you_mean
from pedigree.language.pointers import entries, escape
from pedigree.language.references import UNKNOWN, resolve
from pedigree.language.shapes import PYTHON
from pedigree.language.shapes import kind as type_of
from pedigree.language.step_roles import ROLE_MEMBERS
from pedigree.language.text import brief

ProblemKind: TypeAlias = Literal[
    "type", "mistyped", "missing", "unknown", "range", "length", "count", "pattern", "choice", "machine", "default"
]
# CreateHyperParameterTuningJob does not have these; a rule of its own reports them.
DEBUG_MEMBERS = ("DebugHookConfig", "DebugRuleConfigurations", "ProfilerConfig", "ProfilerRuleConfigurations")
_ACCEPTED = {"Float": ("Float", "Integer")}
_NUMBERS = ("integer", "long", "float", "double")
_PYTHON = {**PYTHON, "timestamp": (str, int, float), "blob": str}
_MOST_CHOICES_SHOWN = 8


@dataclass(frozen=True, slots=True)
class RequestProblem:
    """One problem of a value in a request."""

    kind: ProblemKind
    pointer: str
    cause: str
    remedy: str


def request_problems(definition: Definition, step: Step) -> Iterator[RequestProblem]:
    """The problems of a step's request; none for a step without an operation of the API behind it."""
    operation = shapes.OPERATIONS.get(step.type)
    if operation:
        shape = model.input_shape(operation.create)
        validator = _Validator(definition, operation.name_member)
        yield from validator.problems(dict(step.arguments), shape, f"{step.pointer}/Arguments")


class _Validator:
    def __init__(self, definition: Definition, chosen_by_service: str) -> None:
        self._definition = definition
        self._chosen_by_service = chosen_by_service

    def problems(self, value: Any, shape: Shape, pointer: str) -> Iterator[RequestProblem]:
        if is_expression(value):
            yield from self._expression(value, shape, pointer)
            return
        if not _has_type(value, shape):
            cause = f"{brief(value)} has the wrong type"
            yield RequestProblem("type", pointer, cause, f"write {_example(shape)}")
            return
        yield from _broken_limits(value, shape, pointer)
        members = _MEMBERS.get(shape.type_name)
        if members:
            yield from members(self, value, shape, pointer)

    def structure(self, value: Mapping[str, Any], shape: Shape, pointer: str) -> Iterator[RequestProblem]:
        for name in shape.required_members:
            if value.get(name) is None and name not in (self._chosen_by_service, *ROLE_MEMBERS):
                yield RequestProblem("missing", pointer, f"{shape.name} needs {name}", f"add {name}")
        for name, member in value.items():
            inner = f"{pointer}/{escape(name)}"
            if name in shape.members:
                # Null is as if the member were left out, as AWS has it for PipelineExperimentConfig.
                yield from self.problems(member, shape.members[name], inner) if member is not None else ()
            elif shape.name != "HyperParameterTrainingJobDefinition" or name not in DEBUG_MEMBERS:
                hint = did_you_mean(name, shape.members) or "remove it"
                yield RequestProblem("unknown", inner, f"{shape.name} has no member {name}", hint)

    def list(self, value: list[Any], shape: Shape, pointer: str) -> Iterator[RequestProblem]:
        for index, item in enumerate(value):
            yield from self.problems(item, shape.member, f"{pointer}/{index}")

    def map(self, value: Mapping[str, Any], shape: Shape, pointer: str) -> Iterator[RequestProblem]:
        for key, item in value.items():
            inner = f"{pointer}/{escape(key)}"
            yield from _broken_limits(key, shape.key, inner)
            yield from self.problems(item, shape.value, inner)

    def _expression(self, value: Any, shape: Shape, pointer: str) -> Iterator[RequestProblem]:
        try:
            expression = parse(value)
        except ExpressionError:
            return  # another rule reports that
        expected, given = type_of(shape), self._type_of(expression)
        if given not in (UNKNOWN, expected) and given not in _ACCEPTED.get(expected, ()):
            remedy = "join it with nothing to make it text" if expected == "String" else "refer to another value"
            cause = f"{expected} is needed here, and {brief(value)} is {given}"
            yield RequestProblem("mistyped", pointer, cause, remedy)
        elif isinstance(expression, ParameterReference):
            yield from self._parameter(expression.name, shape, pointer)
        elif isinstance(expression, Join):
            text = self._with_defaults(value)
            yield from _broken_limits(text, shape, pointer) if text is not None else ()

    def _with_defaults(self, value: Any) -> str | None:
        try:
            filled = with_defaults(self._definition, value)
        except LanguageError:
            return None
        return filled if isinstance(filled, str) else None

    def _parameter(self, name: str, shape: Shape, pointer: str) -> Iterator[RequestProblem]:
        parameter = self._definition.parameters.get(name)
        if not parameter:
            return
        values = {"DefaultValue": parameter.default}
        values |= {f"EnumValues/{number}": choice for number, choice in enumerate(parameter.choices)}
        for member, value in values.items():
            if value is not None and _has_type(value, shape):
                for problem in _broken_limits(value, shape, f"{self._declaration(name)}/{member}"):
                    cause = f"{problem.cause} at {pointer}, where parameter {name} is used"
                    yield replace(problem, kind="default", cause=cause)

    def _declaration(self, name: str) -> str:
        """The pointer to the declaration of a parameter."""
        declared = entries(self._definition.document.get("Parameters", []))
        index = next((index for index, parameter in declared if parameter.get("Name") == name), 0)
        return f"/Parameters/{index}"

    def _type_of(self, expression: Value) -> str:
        if isinstance(expression, Join):
            return "String"
        try:
            types = (resolve(self._definition, reference) for reference in references(expression))
            return next(types, UNKNOWN)
        except UnresolvedError:
            return UNKNOWN


def _broken_limits(value: Any, shape: Shape, pointer: str) -> Iterator[RequestProblem]:
    """The limits of a shape that a plain value breaks."""
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if shape.type_name in _NUMBERS:
        if (least is not None and value < least) or (most is not None and value > most):
            allowed = _span(least, most)
            yield RequestProblem("range", pointer, f"{brief(value)} is out of range", f"write a number: {allowed}")
        return
    if isinstance(value, (str, list, dict)):
        size = len(value)
        if (least is not None and size < least) or (most is not None and size > most):
            kind: ProblemKind = "length" if isinstance(value, str) else "count"
            unit = "characters" if kind == "length" else "entries"
            yield RequestProblem(kind, pointer, f"{shape.name} has {size} {unit}", f"write {_span(least, most)}")
    if isinstance(value, str):
        yield from _broken_text_limits(value, shape, pointer)


def _broken_text_limits(value: str, shape: Shape, pointer: str) -> Iterator[RequestProblem]:
    if shape.enum:
        if value not in shape.enum:
            few = len(shape.enum) <= _MOST_CHOICES_SHOWN
            choices = ", ".join(shape.enum) if few else f"one of its {len(shape.enum)} values"
            kind: ProblemKind = "machine" if shape.name.endswith("InstanceType") else "choice"
            remedy = did_you_mean(value, shape.enum) or f"use {choices}"
            yield RequestProblem(kind, pointer, _invalid(value, shape), remedy)
        return
    pattern = _pattern(shape.metadata.get("pattern", ""))
    if pattern and not pattern.fullmatch(value):
        yield RequestProblem(
            "pattern", pointer, _invalid(value, shape), f"write it so that it matches {pattern.pattern}"
        )


def _invalid(value: str, shape: Shape) -> str:
    return f"{brief(value)} is not a valid {shape.name}"


@cache
def _pattern(written: str) -> re.Pattern[str] | None:
    """A pattern of the model, None if it is written in a dialect that Python does not read."""
    try:
        return re.compile(written) if written else None
    except re.error:
        return None


def _has_type(value: Any, shape: Shape) -> bool:
    of_type = isinstance(value, _PYTHON[shape.type_name])
    return of_type and (not isinstance(value, bool) or shape.type_name == "boolean")


def _example(shape: Shape) -> str:
    return _EXAMPLES.get(shape.type_name, "a number" if shape.type_name in _NUMBERS else "a text in quotes")


def _span(least: Any, most: Any) -> str:
    if most is None:
        return f"{least} or more"
    return f"at most {most}" if not least else f"{least} to {most}"


_EXAMPLES: Mapping[str, str] = {
    "structure": "an object {…}",
    "map": "an object {…}",
    "list": "a list […]",
    "boolean": "true or false",
    "integer": "a whole number",
    "long": "a whole number",
}
_MEMBERS: Mapping[str, Callable[[_Validator, Any, Shape, str], Iterator[RequestProblem]]] = {
    "structure": _Validator.structure,
    "list": _Validator.list,
    "map": _Validator.map,
}
