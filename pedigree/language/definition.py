"""A pipeline definition, read: parameters and steps as frozen data, whoever wrote the JSON.

Only the form that every reader needs is demanded here. What a request should hold is in shapes.py, and
whether it all makes sense is for checks/ to say.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

from pedigree.language.errors import DefinitionError
from pedigree.language.pointers import escape

VERSION = "2020-12-01"
_DEEPEST = 20
Place: TypeAlias = tuple[tuple[str, bool], ...]
"""Where a step stands: the conditions around it, from outside in, each with the branch."""

PARAMETER_TYPES = ("String", "Integer", "Float", "Boolean")
_TYPES: Mapping[str, type | tuple[type, ...]] = {"String": str, "Integer": int, "Float": (int, float), "Boolean": bool}
_WITHOUT_VALUES = (
    *("Name", "Type", "Arguments", "DependsOn", "CacheConfig", "RetryPolicies"),
    *("PropertyFiles", "OutputParameters"),
)
STEP_TYPES = (
    *(
        "Processing",
        "Training",
        "Tuning",
        "Transform",
        "AutoML",
        "Model",
        "RegisterModel",
        "EndpointConfig",
        "Endpoint",
    ),
    *("Condition", "Fail", "Lambda", "Callback", "QualityCheck", "ClarifyCheck", "EMR", "EMRServerless", "Job"),
    *("InferenceComponent", "Lineage", "Cleanup", "ForEach"),
)
STEP_TYPES_WITH: Mapping[str, frozenset[str]] = {
    "CacheConfig": frozenset({"Processing", "Training", "Tuning", "Transform", "AutoML", "Lambda", "Callback"}),
    "RetryPolicies": frozenset({"Processing", "Training", "Tuning", "Transform", "AutoML", "Model", "RegisterModel"}),
    "PropertyFiles": frozenset({"Processing"}),
    "OutputParameters": frozenset({"Lambda", "Callback"}),
    "FunctionArn": frozenset({"Lambda"}),
    "SqsQueueUrl": frozenset({"Callback"}),
}
"""For members beside the arguments that only some types of step may have: those types."""
EXECUTION_VARIABLES = (
    "StartDateTime",
    "CurrentDateTime",
    "PipelineName",
    "PipelineArn",
    "PipelineExecutionId",
    "PipelineExecutionArn",
    "TrainingJobName",
    "ProcessingJobName",
)


@dataclass(frozen=True)
class Parameter:
    """What an execution can be given."""

    name: str
    type: str
    default: str | int | float | bool | None = None
    choices: tuple[str, ...] = ()

    def accepts(self, value: Any) -> bool:
        """Whether a value is of the parameter's type, and among its choices where it has some."""
        of_type = isinstance(value, _TYPES[self.type]) and (self.type == "Boolean" or not isinstance(value, bool))
        return of_type and (not self.choices or value in self.choices)


@dataclass(frozen=True)
class Dependency:
    """A step that must have ended, in a certain way, before another starts."""

    step: str
    trigger: str = "Completed"


@dataclass(frozen=True)
class PropertyFile:
    """A JSON file in an output of a processing step, whose values other steps read."""

    name: str
    output: str
    path: str


@dataclass(frozen=True)
class Step:
    """A node of the graph, as the document has it; a condition has further steps in its branches."""

    name: str
    type: str
    arguments: Mapping[str, Any]
    document: Mapping[str, Any]
    pointer: str
    depends_on: tuple[Dependency, ...] = ()
    property_files: tuple[PropertyFile, ...] = ()
    outputs: Mapping[str, str] = field(default_factory=dict)
    if_steps: tuple[Step, ...] = ()
    else_steps: tuple[Step, ...] = ()
    place: Place = ()

    @property
    def own_arguments(self) -> Mapping[str, Any]:
        """The arguments without the steps that stand in the branches."""
        return {name: value for name, value in self.arguments.items() if name not in ("IfSteps", "ElseSteps")}

    def places(self) -> Iterator[tuple[str, Any]]:
        """Where expressions may stand, by pointer: the arguments, and what else of a step has values."""
        yield f"{self.pointer}/Arguments", dict(self.own_arguments)
        for name, value in self.document.items():
            if name not in _WITHOUT_VALUES:
                yield f"{self.pointer}/{escape(name)}", value


@dataclass(frozen=True)
class Definition:
    """A whole definition."""

    parameters: Mapping[str, Parameter]
    steps: tuple[Step, ...]
    document: Mapping[str, Any]

    def all_steps(self) -> Iterator[Step]:
        """Every step, those in branches after the condition that they belong to."""
        yield from _flat(self.steps)

    def by_name(self) -> Mapping[str, Step]:
        """Every step by its name."""
        return self._by_name

    @cached_property
    def _by_name(self) -> Mapping[str, Step]:
        return {step.name: step for step in self.all_steps()}


def parse(text: str) -> Definition:
    """The definition that a JSON text is."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DefinitionError(f"not JSON: {error}; a definition is what `pedigree definition` prints") from None
    return read(document)


def read(document: Any) -> Definition:
    """The definition that a JSON document is."""
    body = _mapping(document, "")
    if "Steps" not in body:
        raise DefinitionError("has no Steps; a definition has Version, Parameters and Steps")
    parameters = [_parameter(item, f"/Parameters/{index}") for index, item in enumerate(_list(body, "Parameters", ""))]
    steps = _steps(body, "Steps", "", ())
    definition = Definition({parameter.name: parameter for parameter in parameters}, steps, body)
    _unique([parameter.name for parameter in parameters], "parameters")
    _unique([step.name for step in definition.all_steps()], "steps")
    return definition


def _steps(body: Mapping[str, Any], key: str, pointer: str, place: Place) -> tuple[Step, ...]:
    items = _list(body, key, pointer)
    return tuple(_step(item, f"{pointer}/{key}/{index}", place) for index, item in enumerate(items))


def _step(item: Any, pointer: str, place: Place) -> Step:
    body = _mapping(item, pointer)
    name, kind = _text(body, "Name", pointer), _text(body, "Type", pointer)
    if len(place) > _DEEPEST:
        raise DefinitionError(
            f"{pointer} lies in more than {_DEEPEST} conditions; the service takes none inside another"
        )
    arguments = _mapping(body.get("Arguments", {}), f"{pointer}/Arguments")
    branches = {
        field: _steps(arguments, key, f"{pointer}/Arguments", (*place, (name, branch))) if kind == "Condition" else ()
        for field, key, branch in (("if_steps", "IfSteps", True), ("else_steps", "ElseSteps", False))
    }
    return Step(
        name=name,
        type=kind,
        arguments=arguments,
        document=body,
        pointer=pointer,
        place=place,
        depends_on=tuple(_dependency(one, pointer) for one in _list(body, "DependsOn", pointer)),
        property_files=tuple(_property_file(one, pointer) for one in _list(body, "PropertyFiles", pointer)),
        outputs=dict(_declared(one, pointer) for one in _list(body, "OutputParameters", pointer)),
        **branches,
    )


def _declared(item: Any, pointer: str) -> tuple[str, str]:
    return _text(item, "OutputName", f"{pointer}/OutputParameters"), _text(
        item, "OutputType", f"{pointer}/OutputParameters"
    )


def _parameter(item: Any, pointer: str) -> Parameter:
    body = _mapping(item, pointer)
    kind = _text(body, "Type", pointer)
    if kind not in PARAMETER_TYPES:
        raise DefinitionError(f"{pointer}/Type is {kind!r}; write one of {', '.join(PARAMETER_TYPES)}")
    return Parameter(
        _text(body, "Name", pointer), kind, body.get("DefaultValue"), tuple(_list(body, "EnumValues", pointer))
    )


def _dependency(item: Any, pointer: str) -> Dependency:
    if isinstance(item, str):
        return Dependency(item)
    body = _mapping(item, f"{pointer}/DependsOn")
    return Dependency(_text(body, "Step", pointer), body.get("Trigger", "Completed"))


def _property_file(item: Any, pointer: str) -> PropertyFile:
    body = _mapping(item, f"{pointer}/PropertyFiles")
    return PropertyFile(
        *(_text(body, key, f"{pointer}/PropertyFiles") for key in ("PropertyFileName", "OutputName", "FilePath"))
    )


def _mapping(value: Any, pointer: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise DefinitionError(f"{pointer or 'the document'} is no object; write {{…}}")
    return value


def _list(body: Mapping[str, Any], key: str, pointer: str) -> list[Any]:
    value = body.get(key)
    if value is None:
        return []
    if not isinstance(value, list):
        raise DefinitionError(f"{pointer}/{key} is no list; write […]")
    return value


def _text(body: Any, key: str, pointer: str) -> str:
    value = _mapping(body, pointer).get(key)
    if not isinstance(value, str) or not value:
        raise DefinitionError(f"{pointer} has no {key}; add it as a text")
    return value


def _unique(names: list[str], what: str) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DefinitionError(f"has several {what} named {', '.join(twice)}; names are unique, in branches too")


def _flat(steps: tuple[Step, ...]) -> Iterator[Step]:
    for step in steps:
        yield step
        yield from _flat(step.if_steps)
        yield from _flat(step.else_steps)
