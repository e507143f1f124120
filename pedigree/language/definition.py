"""Reads a pipeline definition into frozen dataclasses: parameters and steps.

Only the form that every reader needs is required here. shapes.py has the shapes of requests, and pedigree/checks finds
what is wrong with their content.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

from pedigree.language.errors import DefinitionError
from pedigree.language.pointers import escape
from pedigree.language.text import brief

VERSION = "2020-12-01"
_DEEPEST = 20
BranchPath: TypeAlias = tuple[tuple[str, bool], ...]
"""The conditions around a step, from outside in, each with the branch that the step is in."""

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
    *("InferenceComponent", "Lineage", "Cleanup", "ForEach", "Athena", "HubContent", "BedrockModelImport"),
    *("BedrockCustomModel", "BedrockCustomModelDeployment", "BedrockProvisionedModelThroughput"),
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
    """A value that an execution can be given."""

    name: str
    type: str
    default: str | int | float | bool | None = None
    choices: tuple[str, ...] = ()

    def accepts(self, value: Any) -> bool:
        """Whether a value has the parameter's type, and is one of its choices if it has any."""
        of_type = isinstance(value, _TYPES[self.type]) and (self.type == "Boolean" or not isinstance(value, bool))
        return of_type and (not self.choices or value in self.choices)


@dataclass(frozen=True)
class Dependency:
    """A step that must end in a certain way before another one starts."""

    step: str
    trigger: str = "Completed"


@dataclass(frozen=True)
class PropertyFile:
    """A JSON file in an output of a processing step; other steps read values from it."""

    name: str
    output: str
    path: str


@dataclass(frozen=True)
class Step:
    """A step as the document has it; a Condition step has further steps in its branches."""

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
    branch_path: BranchPath = ()

    @property
    def evaluated_arguments(self) -> Mapping[str, Any]:
        """The arguments that have their values when the step starts: a body's expressions get theirs in iterations."""
        return {name: value for name, value in self.own_arguments.items() if name not in ("ForEachBody", "Selector")}

    @property
    def own_arguments(self) -> Mapping[str, Any]:
        """The arguments without the steps in the branches."""
        return {name: value for name, value in self.arguments.items() if name not in ("IfSteps", "ElseSteps")}

    def places(self) -> Iterator[tuple[str, Any]]:
        """The values that may contain expressions, with their pointers: the arguments, and other members."""
        yield f"{self.pointer}/Arguments", dict(self.own_arguments)
        for name, value in self.document.items():
            if name not in _WITHOUT_VALUES:
                yield f"{self.pointer}/{escape(name)}", value


@dataclass(frozen=True)
class Definition:
    """A pipeline definition."""

    parameters: Mapping[str, Parameter]
    steps: tuple[Step, ...]
    document: Mapping[str, Any]

    def all_steps(self) -> Iterator[Step]:
        """Every step; those in branches follow their condition."""
        yield from _flat(self.steps)

    def by_name(self) -> Mapping[str, Step]:
        return self._by_name

    @cached_property
    def _by_name(self) -> Mapping[str, Step]:
        return {step.name: step for step in self.all_steps()}


def parse(text: str) -> Definition:
    """Read a definition from JSON text."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DefinitionError(f"not JSON: {error}", "give a definition, as `pedigree definition` prints it") from None
    return read(document)


def read(document: Any) -> Definition:
    """Read a definition from a JSON document."""
    body = _mapping(document, "")
    if "Steps" not in body:
        raise DefinitionError("the document has no Steps", "write Version, Parameters and Steps")
    parameters = [_parameter(item, f"/Parameters/{index}") for index, item in enumerate(_list(body, "Parameters", ""))]
    steps = _steps(body, "Steps", "", ())
    definition = Definition({parameter.name: parameter for parameter in parameters}, steps, body)
    _check_unique([parameter.name for parameter in parameters], "parameters")
    _check_unique([step.name for step in definition.all_steps()], "steps")
    return definition


def _steps(body: Mapping[str, Any], key: str, pointer: str, branch_path: BranchPath) -> tuple[Step, ...]:
    items = _list(body, key, pointer)
    return tuple(read_step(item, f"{pointer}/{key}/{index}", branch_path) for index, item in enumerate(items))


def read_step(item: Any, pointer: str, branch_path: BranchPath = ()) -> Step:
    """Read one step from its JSON object."""
    body = _mapping(item, pointer)
    name, kind = _text(body, "Name", pointer), _text(body, "Type", pointer)
    if len(branch_path) > _DEEPEST:
        cause = f"{pointer} is inside of more than {_DEEPEST} conditions"
        raise DefinitionError(cause, "write them side by side")
    arguments = _mapping(body.get("Arguments", {}), f"{pointer}/Arguments")
    branches = {
        field: _steps(arguments, key, f"{pointer}/Arguments", (*branch_path, (name, branch)))
        if kind == "Condition"
        else ()
        for field, key, branch in (("if_steps", "IfSteps", True), ("else_steps", "ElseSteps", False))
    }
    return Step(
        name=name,
        type=kind,
        arguments=arguments,
        document=body,
        pointer=pointer,
        branch_path=branch_path,
        depends_on=tuple(_dependency(item, pointer) for item in _list(body, "DependsOn", pointer)),
        property_files=tuple(_property_file(item, pointer) for item in _list(body, "PropertyFiles", pointer)),
        outputs=dict(_output(item, pointer) for item in _list(body, "OutputParameters", pointer)),
        **branches,
    )


def _output(item: Any, pointer: str) -> tuple[str, str]:
    inner = f"{pointer}/OutputParameters"
    return _text(item, "OutputName", inner), _text(item, "OutputType", inner)


def _parameter(item: Any, pointer: str) -> Parameter:
    body = _mapping(item, pointer)
    kind = _text(body, "Type", pointer) if "Type" in body else PARAMETER_TYPES[0]
    if kind not in PARAMETER_TYPES:
        raise DefinitionError(f"{pointer}/Type is {brief(kind)}", f"write one of {', '.join(PARAMETER_TYPES)}")
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
        raise DefinitionError(f"{pointer or 'the document'} is not an object", "write {…}")
    return value


def _list(body: Mapping[str, Any], key: str, pointer: str) -> list[Any]:
    value = body.get(key)
    if value is None:
        return []
    if not isinstance(value, list):
        raise DefinitionError(f"{pointer}/{key} is not a list", "write […]")
    return value


def _text(body: Any, key: str, pointer: str) -> str:
    value = _mapping(body, pointer).get(key)
    if not isinstance(value, str) or not value:
        raise DefinitionError(f"{pointer} has no {key}", "add it as a text")
    return value


def _check_unique(names: list[str], noun: str) -> None:
    duplicates = sorted({name for name in names if names.count(name) > 1})
    if duplicates:
        cause = f"several {noun} are named {', '.join(duplicates)}"
        raise DefinitionError(cause, "give each its own name, in branches too")


def _flat(steps: tuple[Step, ...]) -> Iterator[Step]:
    for step in steps:
        yield step
        yield from _flat(step.if_steps)
        yield from _flat(step.else_steps)
