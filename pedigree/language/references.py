"""Whether every reference in a definition leads somewhere, and to a value of which type.

A reference resolves to a type of the language (String, Integer, Float, Boolean), or to the name of a shape that is
none of these; what a JSON file holds cannot be known before it is written.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from pedigree.language import shapes
from pedigree.language.definition import EXECUTION_VARIABLES, Definition, Parameter, PropertyFile, Step
from pedigree.language.entries import check_items, names_in
from pedigree.language.errors import UnresolvedError
from pedigree.language.expressions import (
    ExecutionReference,
    Item,
    JsonGet,
    Member,
    ParameterReference,
    Reference,
    StepReference,
    references,
    walk,
)

UNKNOWN = "Unknown"
_OUTPUT_PARAMETERS = Member("OutputParameters")


@dataclass(frozen=True, slots=True)
class Use:
    """A reference, and where it stands."""

    step: Step
    pointer: str
    reference: Reference


@dataclass(frozen=True)
class Unresolved:
    """A reference that leads nowhere, and why."""

    use: Use
    cause: str


def uses(definition: Definition) -> Iterator[Use]:
    """Every reference in the definition."""
    for step in definition.all_steps():
        for place, value in step.places():
            for pointer, expression in walk(value, place):
                yield from (Use(step, pointer, reference) for reference in references(expression))


def unresolved(definition: Definition) -> Iterator[Unresolved]:
    """The references that lead nowhere, steps to wait for among them."""
    for use in (*uses(definition), *_dependencies(definition)):
        try:
            resolve(definition, use.reference)
            _check_visible(definition, use)
        except UnresolvedError as error:
            yield Unresolved(use, str(error))


def resolve(definition: Definition, reference: Reference) -> str:
    """The type of what a reference refers to; UnresolvedError says why it refers to nothing."""
    return _RESOLVERS[type(reference)](definition, reference)


def _dependencies(definition: Definition) -> Iterator[Use]:
    for step in definition.all_steps():
        for index, one in enumerate(step.depends_on):
            yield Use(step, f"{step.pointer}/DependsOn/{index}", StepReference(one.step, ()))


def _check_visible(definition: Definition, use: Use) -> None:
    """A step in a branch is there for the steps of that branch only."""
    if isinstance(use.reference, (StepReference, JsonGet)):
        place = definition.by_name()[use.reference.step].place
        if use.step.place[: len(place)] != place:
            condition, branch = place[-1]
            where = f"the {'if' if branch else 'else'} branch of {condition}"
            raise UnresolvedError(f"{use.reference.step} runs in {where} only, and {use.step.name} is not there")


def _parameter(definition: Definition, reference: ParameterReference) -> str:
    parameter: Parameter = _known(definition.parameters, reference.name, "parameter")
    return parameter.type


def _execution(_definition: Definition, reference: ExecutionReference) -> str:
    _known(EXECUTION_VARIABLES, reference.name, "execution variable")
    return "String"


def _json_get(definition: Definition, reference: JsonGet) -> str:
    step = _known(definition.by_name(), reference.step, "step")
    files = {file.name: file for file in step.property_files}
    file: PropertyFile = _known(files, reference.property_file, f"property file of {step.name}")
    _known(names_in(step, ("ProcessingOutputConfig", "Outputs"), "OutputName"), file.output, f"output of {step.name}")
    return UNKNOWN


def _step(definition: Definition, reference: StepReference) -> str:
    step: Step = _known(definition.by_name(), reference.step, "step")
    path = reference.path
    if not path or (step.type == "Condition" and path == (Member("Outcome"),)):
        return "String"
    if step.type in shapes.DECLARING:
        if len(path) == 2 and path[0] == _OUTPUT_PARAMETERS and isinstance(path[1], Item):
            declared: str = _known(step.outputs, str(path[1].key), f"declared output of {step.name}")
            return declared
        raise UnresolvedError(f"{step.name} has OutputParameters['…'] only")
    found = shapes.kind(shapes.follow(step.type, path))
    check_items(step, path)
    return found


def _known(known: Collection[str], name: str, what: str) -> Any:
    if name in known:
        return known[name] if isinstance(known, Mapping) else name
    near = get_close_matches(name, list(known), n=1)
    raise UnresolvedError(f"there is no {what} {name}" + (f"; did you mean {near[0]}?" if near else ""))


_RESOLVERS: Mapping[type, Callable[[Definition, Any], str]] = {
    ParameterReference: _parameter,
    ExecutionReference: _execution,
    JsonGet: _json_get,
    StepReference: _step,
}
