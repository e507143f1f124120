"""Expressions: placeholders in a definition for values that only an execution knows.

{"Get": "Parameters.Epochs"}, {"Get": "Execution.PipelineName"}, {"Get": "Steps.Tune.BestTrainingJob.TrainingJobName"},
{"Std:Join": {"On": "/", "Values": [...]}}, {"Std:JsonGet": {"PropertyFile": {"Get": ...}, "Path": ...}} (or S3Uri).
Inside of a ForEach step also {"Get": "ForEach.CurrentItem"}, in its selector {"Get": "IterationOutput.Step.Member"}.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from pedigree.language.errors import ExpressionError
from pedigree.language.pointers import escape
from pedigree.language.text import brief

_STEP = re.compile(r"Steps\.([A-Za-z0-9_-]+)((?:\.|\[).+)?", re.DOTALL)
_ITERATION = re.compile(r"(ForEach\.CurrentItem|IterationOutput\.[A-Za-z0-9_-]+)((?:\.|\[).+)?", re.DOTALL)
_SEGMENT = re.compile(r"\.([A-Za-z0-9_-]+)|\[(\d{1,9})\]|\['([^']*)'\]|\[\"([^\"]*)\"\]")
_PROPERTY_FILES = "PropertyFiles"
_DEEPEST = 20


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a structure: .Name"""

    name: str


@dataclass(frozen=True, slots=True)
class Item:
    """An entry of a list or a map: [0] or ['name']"""

    key: str | int


Segment: TypeAlias = Member | Item


@dataclass(frozen=True, slots=True)
class ParameterReference:
    """The value of a parameter in an execution."""

    name: str


@dataclass(frozen=True, slots=True)
class ExecutionReference:
    """A fact about the execution itself."""

    name: str


@dataclass(frozen=True, slots=True)
class StepReference:
    """A value of a finished step: a path into the answer of the Describe operation."""

    step: str
    path: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class IterationReference:
    """A value that each iteration of a ForEach step has: ForEach.CurrentItem, or IterationOutput.Step, and a path."""

    root: str
    path: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class Join:
    """Values as one text, with a separator between them."""

    on: str
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class JsonGet:
    """A value in a JSON file: a property file of a step, or an address in S3."""

    path: str
    step: str = ""
    property_file: str = ""
    s3_uri: Value = ""


Expression: TypeAlias = ParameterReference | ExecutionReference | StepReference | IterationReference | Join | JsonGet
Value: TypeAlias = Expression | str | int | float | bool | None
Reference: TypeAlias = ParameterReference | ExecutionReference | StepReference | IterationReference | JsonGet
_PLAIN_REFERENCES = (ParameterReference, ExecutionReference, StepReference, IterationReference)


def is_expression(value: Any) -> bool:
    """Whether a JSON value is written as an expression."""
    if isinstance(value, str):  # most values are, and isinstance with Mapping takes longer
        return False
    return isinstance(value, (dict, Mapping)) and len(value) == 1 and next(iter(value)) in _PARSERS


def parse(value: Any, depth: int = 0) -> Value:
    """The expression in a JSON value, or the plain value itself; ExpressionError if it is malformed."""
    if depth > _DEEPEST:
        raise ExpressionError(f"expressions nest deeper than {_DEEPEST} levels", "write them flatter")
    if not is_expression(value):
        if isinstance(value, (Mapping, list)):
            remedy = "write text, a number, or an expression like {'Get': …}"
            raise ExpressionError(f"{brief(value)} is not a value", remedy)
        plain: Value = value
        return plain
    kind, body = next(iter(value.items()))
    return _PARSERS[kind](body, depth + 1)


def walk(value: Any, pointer: str = "") -> Iterator[tuple[str, Expression]]:
    """Every expression in a JSON value with its pointer; those inside another one are part of it."""
    if is_expression(value):
        try:
            yield pointer, parse(value)  # type: ignore[misc]  # parse returns an expression for these, or raises
        except ExpressionError as error:
            raise ExpressionError(f"{pointer}: {error.cause}", error.remedy) from None
    elif isinstance(value, Mapping):
        for key, member in value.items():
            yield from walk(member, f"{pointer}/{escape(key)}")
    elif isinstance(value, list):
        for index, member in enumerate(value):
            yield from walk(member, f"{pointer}/{index}")


def references(expression: Value) -> Iterator[Reference]:
    """The references in an expression, in order."""
    if isinstance(expression, Join):
        for value in expression.values:
            yield from references(value)
    elif isinstance(expression, JsonGet):
        if expression.step:
            yield expression
        yield from references(expression.s3_uri)
    elif isinstance(expression, _PLAIN_REFERENCES):
        yield expression


def evaluate(expression: Value, look_up: Callable[[Reference], Any]) -> Any:
    """The value of an expression; look_up returns the value of a reference."""
    if isinstance(expression, Join):
        return expression.on.join(as_text(evaluate(value, look_up)) for value in expression.values)
    if isinstance(expression, (*_PLAIN_REFERENCES, JsonGet)):
        return look_up(expression)
    return expression


def as_text(value: Any) -> str:
    """A value as the service writes it into text."""
    return value if isinstance(value, str) else json.dumps(value)


def _get(body: Any, _depth: int) -> Value:
    if not isinstance(body, str):
        raise ExpressionError(f"Get has {brief(body)}", "write a path like Parameters.Name or Steps.Name.Member")
    root, _, name = body.partition(".")
    if root in _ROOTS and re.fullmatch(r"[A-Za-z0-9_-]+", name):
        return _ROOTS[root](name)
    if iteration := _ITERATION.fullmatch(body):
        return IterationReference(iteration[1], tuple(_segments(iteration[2] or "", body)))
    match = _STEP.fullmatch(body)
    if not match:
        raise ExpressionError(f"Get has {brief(body)}", "write Parameters.Name, Execution.Name or Steps.Name.Member")
    return StepReference(match[1], tuple(_segments(match[2] or "", body)))


def _segments(text: str, whole: str) -> Iterator[Segment]:
    position = 0
    while position < len(text):
        match = _SEGMENT.match(text, position)
        if not match:
            cause = f"Get has {brief(whole)}, malformed from {brief(text[position:])} on"
            raise ExpressionError(cause, "write .Member, [0] or ['key']")
        member, index, single, double = match.groups()
        yield (
            Member(member) if member else Item(int(index)) if index else Item(single if single is not None else double)
        )
        position = match.end()


def _join(body: Any, depth: int) -> Value:
    if (
        not isinstance(body, Mapping)
        or not isinstance(body.get("Values"), list)
        or not isinstance(body.get("On", ""), str)
    ):
        raise ExpressionError(f"Std:Join has {brief(body)}", "write {'On': '/', 'Values': […]}")
    return Join(body.get("On", ""), tuple(parse(value, depth) for value in body["Values"]))


def _json_get(body: Any, depth: int) -> Value:
    if (
        not isinstance(body, Mapping)
        or not isinstance(body.get("Path"), str)
        or ("PropertyFile" in body) == ("S3Uri" in body)
    ):
        raise ExpressionError(f"Std:JsonGet has {brief(body)}", "write a Path, and a PropertyFile or an S3Uri")
    if "S3Uri" in body:
        return JsonGet(body["Path"], s3_uri=parse(body["S3Uri"], depth))
    file = parse(body["PropertyFile"], depth)
    if isinstance(file, StepReference) and len(file.path) == 2 and file.path[0] == Member(_PROPERTY_FILES):
        name = file.path[1]
        return JsonGet(body["Path"], file.step, str(name.name if isinstance(name, Member) else name.key))
    cause = f"Std:JsonGet has {brief(body['PropertyFile'])}"
    raise ExpressionError(cause, "write {'Get': 'Steps.Name.PropertyFiles.File'}")


_ROOTS: Mapping[str, Callable[[str], Value]] = {"Parameters": ParameterReference, "Execution": ExecutionReference}
_PARSERS: Mapping[str, Callable[[Any, int], Value]] = {"Get": _get, "Std:Join": _join, "Std:JsonGet": _json_get}
