"""What the expressions in a definition are worth in one execution.

A reference to a step is a path into what the service describes about it once it has ended, so what resolves here is
what would resolve there. A path that leads nowhere is an error of the execution, told in one line.
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
from pedigree.localaws.kernel.errors import ValueMissingError

ReadJson = Callable[[str], Any]
"""What the JSON file at an S3 address holds."""
_PART = re.compile(r"([^.\[\]]+)|\[(\d+)\]|\['([^']*)'\]|\[\"([^\"]*)\"\]")


@dataclass(frozen=True)
class Known:
    """What an execution knows so far: its parameters, facts about itself, what ended steps are described as."""

    parameters: Mapping[str, Any]
    facts: Mapping[str, Any]
    described: Mapping[str, Mapping[str, Any]]
    property_files: Mapping[tuple[str, str], str]
    read_json: ReadJson

    def of(self, document: Any) -> Any:
        """A part of a definition with the values of its expressions in their places."""
        if is_expression(document):
            return evaluate(parse(document), self.look_up)
        if isinstance(document, Mapping):
            return {key: self.of(value) for key, value in document.items()}
        if isinstance(document, list):
            return [self.of(value) for value in document]
        return document

    def worth(self, value: Value) -> Any:
        """What one expression, or plain value, is worth."""
        return evaluate(value, self.look_up)

    def holds(self, step: Step) -> bool:
        """Whether all conditions of a Condition step hold."""
        return all(_holds(condition, self) for condition in conditions.conditions(step))

    def look_up(self, reference: Reference) -> Any:
        """What a reference refers to."""
        return _LOOK_UPS[type(reference)](self, reference)


def _parameter(known: Known, reference: ParameterReference) -> Any:
    if reference.name not in known.parameters:
        raise ValueMissingError(f"parameter {reference.name} has neither a value nor a default; give it at the start")
    return known.parameters[reference.name]


def _fact(known: Known, reference: ExecutionReference) -> Any:
    if reference.name not in known.facts:
        raise ValueMissingError(f"Execution.{reference.name} is not known in this place")
    return known.facts[reference.name]


def _step_value(known: Known, reference: StepReference) -> Any:
    if reference.step not in known.described:
        raise ValueMissingError(f"step {reference.step} has not run, so nothing of it can be referred to")
    found: Any = known.described[reference.step]
    walked: list[str] = []
    for segment in reference.path:
        try:
            found = _inside(found, segment, walked)
        except (KeyError, IndexError, TypeError):
            written = ".".join((*walked, _written(segment)))
            raise ValueMissingError(f"step {reference.step} has no {written} in what is described about it") from None
        walked.append(_written(segment))
    return found


def _inside(value: Any, segment: Segment, walked: Sequence[str]) -> Any:
    if isinstance(segment, Member):
        return value[segment.name]
    if isinstance(value, list) and isinstance(segment.key, str):
        name = LISTS[tuple(walked)]
        return {entry[name]: entry for entry in value}[segment.key]
    return value[segment.key]


def _written(segment: Segment) -> str:
    return segment.name if isinstance(segment, Member) else f"[{segment.key!r}]"


def _json_value(known: Known, reference: JsonGet) -> Any:
    if reference.step:
        place = (reference.step, reference.property_file)
        if place not in known.property_files:
            raise ValueMissingError(f"step {reference.step} has no property file {reference.property_file}")
        address = known.property_files[place]
    else:
        address = str(known.worth(reference.s3_uri))
    found = known.read_json(address)
    try:
        for name, index, single, double in _PART.findall(reference.path):
            found = found[int(index)] if index else found[name or single or double]
    except (KeyError, IndexError, TypeError):
        raise ValueMissingError(f"{address} has no {reference.path}") from None
    return found


def _holds(condition: Condition, known: Known) -> bool:
    return _DECISIONS[type(condition)](condition, known)


def _compare(condition: Comparison, known: Known) -> bool:
    left, right = known.worth(condition.left), known.worth(condition.right)
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
_DECISIONS: Mapping[type, Callable[[Any, Known], bool]] = {
    Comparison: _compare,
    In: lambda condition, known: known.worth(condition.value) in [known.worth(one) for one in condition.choices],
    Not: lambda condition, known: not _holds(condition.condition, known),
    Or: lambda condition, known: any(_holds(one, known) for one in condition.conditions),
}
_LOOK_UPS: Mapping[type, Callable[[Known, Any], Any]] = {
    ParameterReference: _parameter,
    ExecutionReference: _fact,
    StepReference: _step_value,
    JsonGet: _json_value,
}
