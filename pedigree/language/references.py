"""Where references lead: to a value of which type, or nowhere.

A reference resolves to a type of the language (String, Integer, Float, Boolean), or to the name of a shape that is
none of these. What a JSON file holds is unknown before it is written.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pedigree.language import shapes
from pedigree.language.definition import EXECUTION_VARIABLES, Definition, Parameter, PropertyFile, Step
from pedigree.language.entries import check_items, names_in
from pedigree.language.errors import Missing, UnresolvedError
from pedigree.language.expressions import (
    ExecutionReference,
    Item,
    IterationReference,
    JsonGet,
    Member,
    ParameterReference,
    Reference,
    StepReference,
    references,
    walk,
)
from pedigree.language.iteration import is_inside
from pedigree.language.near import did_you_mean

UNKNOWN = "Unknown"
DESCRIBED_TYPES = (*shapes.OPERATIONS, *shapes.DECLARING, "Condition", "Fail")
"""The types of step whose values are known; a reference to another type is taken as it is."""
_OUTPUT_PARAMETERS = Member("OutputParameters")


@dataclass(frozen=True, slots=True)
class Use:
    """A reference in a step, and the pointer to the expression that has it."""

    step: Step
    pointer: str
    reference: Reference


@dataclass(frozen=True, slots=True)
class DanglingReference:
    """A reference that leads nowhere, and what it lacks."""

    use: Use
    error: UnresolvedError


def uses(definition: Definition) -> Iterator[Use]:
    """Every reference in the definition."""
    for step in definition.all_steps():
        for place, value in step.places():
            for pointer, expression in walk(value, place):
                for reference in references(expression):
                    if not is_inside(step, reference):
                        yield Use(step, pointer, reference)


def dangling_references(definition: Definition, uses: Iterable[Use]) -> Iterator[DanglingReference]:
    """Those of the given references that lead nowhere, and the names in DependsOn of steps that do not exist."""
    for use in (*uses, *_dependencies(definition)):
        try:
            _check(definition, use)
        except UnresolvedError as error:
            yield DanglingReference(use, error)


def resolve(definition: Definition, reference: Reference) -> str:
    """The type of the value that a reference leads to; UnresolvedError if it leads nowhere."""
    return _RESOLVERS[type(reference)](definition, reference)


def _dependencies(definition: Definition) -> Iterator[Use]:
    for step in definition.all_steps():
        for index, dependency in enumerate(step.depends_on):
            if dependency.step:
                yield Use(step, f"{step.pointer}/DependsOn/{index}", StepReference(dependency.step, ()))


def _check(definition: Definition, use: Use) -> None:
    reference = use.reference
    if isinstance(reference, IterationReference) and use.step.type != "ForEach":
        raise UnresolvedError(f"{reference.root} has a value inside of a ForEach step only", missing="variable")
    if not isinstance(reference, (StepReference, JsonGet)):
        resolve(definition, reference)
        return
    target: Step = _named(definition.by_name(), reference.step, "step")
    if target.type in DESCRIBED_TYPES:
        resolve(definition, reference)


def _parameter(definition: Definition, reference: ParameterReference) -> str:
    parameter: Parameter = _named(definition.parameters, reference.name, "parameter")
    return parameter.type


def _execution(_definition: Definition, reference: ExecutionReference) -> str:
    _named(EXECUTION_VARIABLES, reference.name, "variable", "execution variable")
    return "String"


def _json_get(definition: Definition, reference: JsonGet) -> str:
    step: Step = _named(definition.by_name(), reference.step, "step")
    files = {file.name: file for file in step.property_files}
    file: PropertyFile = _named(files, reference.property_file, "property file", f"property file of {step.name}")
    outputs = names_in(step, ("ProcessingOutputConfig", "Outputs"), "OutputName")
    _named(outputs, file.output, "property file output", f"output of {step.name}")
    return UNKNOWN


def _iteration(_definition: Definition, _reference: IterationReference) -> str:
    return UNKNOWN


def _step(definition: Definition, reference: StepReference) -> str:
    step: Step = _named(definition.by_name(), reference.step, "step")
    path = reference.path
    if not path or (step.type == "Condition" and path == (Member("Outcome"),)):
        return "String"
    if step.type in shapes.DECLARING:
        if len(path) == 2 and path[0] == _OUTPUT_PARAMETERS and isinstance(path[1], Item):
            declared: str = _named(step.outputs, str(path[1].key), "output", f"declared output of {step.name}")
            return declared
        raise UnresolvedError(f"{step.name} has OutputParameters['…'] only", missing="output")
    kind = shapes.kind(shapes.follow(step.type, path))
    check_items(step, path)
    return kind


def _named(names: Collection[str], name: str, missing: Missing, noun: str = "") -> Any:
    if name in names:
        return names[name] if isinstance(names, Mapping) else name
    raise UnresolvedError(f"there is no {noun or missing} {name}", did_you_mean(name, names), missing=missing)


_RESOLVERS: Mapping[type, Callable[[Definition, Any], str]] = {
    ParameterReference: _parameter,
    ExecutionReference: _execution,
    IterationReference: _iteration,
    JsonGet: _json_get,
    StepReference: _step,
}
