"""The values of a definition's expressions in one execution.

A reference to a step is a path into the service's description of what the step created, so what resolves here resolves
in an account. A path that leads nowhere fails the step with one line.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pedigree.language import conditions
from pedigree.language.conditions import Comparison, Condition, In, Not, Or
from pedigree.language.definition import Step
from pedigree.language.entries import LISTS
from pedigree.language.expressions import (
    ExecutionReference,
    IterationReference,
    JsonGet,
    Member,
    ParameterReference,
    Reference,
    Segment,
    StepReference,
    Value,
    evaluate,
    is_expression,
    parse,
)
from pedigree.localaws.services.sagemaker.executions.core.errors import ValueMissingError

ReadJson = Callable[[str], Any]
"""Returns the content of the JSON file at an S3 address."""
PropertyFile = Callable[[str, str], "str | None"]
"""Returns the address of a property file by the names of its step and of itself; None if there is none."""
_PART = re.compile(r"([^.\[\]]+)|\[(\d+)\]|\['([^']*)'\]|\[\"([^\"]*)\"\]")


@dataclass(frozen=True)
class Resolver:
    """Resolves expressions: what an execution knows of its parameters, itself, and the steps that have succeeded."""

    parameters: Mapping[str, Any]
    execution: Mapping[str, Any]
    described: Mapping[str, Mapping[str, Any]]
    property_file: PropertyFile
    read_json: ReadJson

    def resolve(self, document: Any) -> Any:
        """Replace all expressions in a part of a definition with their values."""
        if is_expression(document):
            return evaluate(parse(document), self.look_up)
        if isinstance(document, Mapping):
            return {key: self.resolve(value) for key, value in document.items()}
        if isinstance(document, list):
            return [self.resolve(value) for value in document]
        return document

    def value(self, value: Value) -> Any:
        """The value of one expression, or a plain value itself."""
        return evaluate(value, self.look_up)

    def holds(self, step: Step) -> bool:
        """Whether all conditions of a Condition step hold."""
        return all(_holds(condition, self) for condition in conditions.conditions(step))

    def look_up(self, reference: Reference) -> Any:
        """The value that a reference names."""
        return _LOOK_UPS[type(reference)](self, reference)


def _parameter(resolver: Resolver, reference: ParameterReference) -> Any:
    if reference.name not in resolver.parameters:
        raise ValueMissingError(f"parameter {reference.name} has neither a value nor a default", "give it at the start")
    return resolver.parameters[reference.name]


def _execution_value(resolver: Resolver, reference: ExecutionReference) -> Any:
    if reference.name not in resolver.execution:
        raise ValueMissingError(f"Execution.{reference.name} is not known in this place")
    return resolver.execution[reference.name]


def _step_value(resolver: Resolver, reference: StepReference) -> Any:
    if reference.step not in resolver.described:
        raise ValueMissingError(f"step {reference.step} has not run, so nothing of it can be referred to")
    return value_at(resolver.described[reference.step], reference.path, f"step {reference.step}")


def value_at(described: Any, path: Sequence[Segment], owner: str) -> Any:
    """The value at a path into what is described about a step."""
    value, walked = described, list[str]()
    for segment in path:
        try:
            value = _inside(value, segment, walked)
        except (KeyError, IndexError, TypeError):
            written = ".".join((*walked, _written(segment)))
            raise ValueMissingError(f"{owner} has no {written} in what is described about it") from None
        walked.append(_written(segment))
    return value


def _inside(value: Any, segment: Segment, walked: Sequence[str]) -> Any:
    if isinstance(segment, Member):
        return value[segment.name]
    if isinstance(value, list) and isinstance(segment.key, str):
        name = LISTS[tuple(walked)]
        return {entry[name]: entry for entry in value}[segment.key]
    return value[segment.key]


def _written(segment: Segment) -> str:
    return segment.name if isinstance(segment, Member) else f"[{segment.key!r}]"


def _iteration_value(_resolver: Resolver, reference: IterationReference) -> Any:
    raise ValueMissingError(f"{reference.root} has a value inside of a ForEach step only")


def _json_value(resolver: Resolver, reference: JsonGet) -> Any:
    if reference.step:
        address = resolver.property_file(reference.step, reference.property_file)
        if address is None:
            raise ValueMissingError(f"step {reference.step} has no property file {reference.property_file}")
    else:
        address = str(resolver.value(reference.s3_uri))
    document = resolver.read_json(address)
    try:
        for name, index, single, double in _PART.findall(reference.path):
            document = document[int(index)] if index else document[name or single or double]
    except (KeyError, IndexError, TypeError):
        raise ValueMissingError(f"{address} has no {reference.path}") from None
    return document


def _holds(condition: Condition, resolver: Resolver) -> bool:
    return _DECISIONS[type(condition)](condition, resolver)


def _compare(condition: Comparison, resolver: Resolver) -> bool:
    left, right = resolver.value(condition.left), resolver.value(condition.right)
    if condition.type != "Equals" and (_is_text(left) or _is_text(right)) and not (_is_text(left) and _is_text(right)):
        raise ValueMissingError(
            f"{condition.type} compares {json.dumps(left)} with {json.dumps(right)}; both must be numbers, or both text"
        )
    return _SIGNS[condition.type](left, right)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


_SIGNS: Mapping[str, Callable[[Any, Any], bool]] = {
    "Equals": lambda left, right: bool(left == right),
    "GreaterThan": lambda left, right: bool(left > right),
    "GreaterThanOrEqualTo": lambda left, right: bool(left >= right),
    "LessThan": lambda left, right: bool(left < right),
    "LessThanOrEqualTo": lambda left, right: bool(left <= right),
}
_DECISIONS: Mapping[type, Callable[[Any, Resolver], bool]] = {
    Comparison: _compare,
    In: lambda condition, resolver: (
        resolver.value(condition.value) in [resolver.value(choice) for choice in condition.choices]
    ),
    Not: lambda condition, resolver: not _holds(condition.condition, resolver),
    Or: lambda condition, resolver: any(_holds(inner, resolver) for inner in condition.conditions),
}
_LOOK_UPS: Mapping[type, Callable[[Resolver, Any], Any]] = {
    ParameterReference: _parameter,
    ExecutionReference: _execution_value,
    StepReference: _step_value,
    IterationReference: _iteration_value,
    JsonGet: _json_value,
}
