"""Reads a definition leniently: malformed parts become violations, and the rest can still be checked.

`language.definition.read` refuses a document at its first fault, as an execution needs it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from pedigree.checks.errors import NotADefinitionError
from pedigree.checks.finding import Violation
from pedigree.language.definition import (
    PARAMETER_TYPES,
    BranchPath,
    Definition,
    Dependency,
    Parameter,
    PropertyFile,
    Step,
)
from pedigree.language.text import brief

MOST_CHARACTERS = 1_048_576
_DEEPEST = 150
_KEEP_READING = 64 * MOST_CHARACTERS
_TOO_DEEP = f"the document nests deeper than {_DEEPEST} levels, and no definition does"


def load(text: str) -> Mapping[str, Any]:
    """The document in a text; NotADefinitionError if it cannot be a definition."""
    if len(text) > _KEEP_READING:
        raise NotADefinitionError(
            f"the text has {len(text)} characters, far more than any definition", "name another file"
        )
    if not text.strip():
        raise NotADefinitionError("the text is empty", "give a definition in JSON, as `pedigree definition` prints it")
    try:
        document = json.loads(text)
    except RecursionError:
        raise NotADefinitionError(_TOO_DEEP, "name a file with a definition") from None
    except ValueError as error:
        remedy = "give the whole definition, as `pedigree definition` prints it"
        raise NotADefinitionError(_why_not_json(text, error), remedy) from None
    return usable(document)


def _why_not_json(text: str, error: ValueError) -> str:
    if isinstance(error, json.JSONDecodeError) and (
        not text[error.pos :].strip() or error.msg.startswith("Unterminated")
    ):
        return "the JSON ends too early, it is cut off"
    looks_like_yaml = re.match(r"(?:#.*\n|---\s*\n|\s*\n)*[\w-]+:(?:\s|$)", text)
    return f"not JSON{' but YAML' if looks_like_yaml else ''}: {error}"


def usable(document: Any) -> Mapping[str, Any]:
    """The document, if it can be a definition; NotADefinitionError if not."""
    if isinstance(document, Mapping) and isinstance(document.get("PipelineDefinition"), str):
        return load(document["PipelineDefinition"])  # the answer of DescribePipeline
    if not isinstance(document, Mapping) or not isinstance(document.get("Steps"), list):
        raise NotADefinitionError(
            "this is no definition: it has no list of Steps", "give what `pedigree definition` prints"
        )
    if _depth(document) > _DEEPEST:
        raise NotADefinitionError(_TOO_DEEP, "name a file with a definition")
    return document


def _depth(value: Any) -> int:
    level, depth = [value], 0
    while level and depth <= _DEEPEST:
        level = [inner for outer in level if isinstance(outer, (dict, list)) for inner in _inner(outer)]
        depth += 1
    return depth


def _inner(value: dict[str, Any] | list[Any]) -> Iterator[Any]:
    yield from value.values() if isinstance(value, dict) else value


class Reader:
    """Reads one document, and collects what is malformed by kind."""

    def __init__(self) -> None:
        self.malformed: list[Violation] = []
        self.duplicate_steps: list[Violation] = []
        self.duplicate_parameters: list[Violation] = []
        self._names: dict[str, str] = {}

    def read(self, document: Mapping[str, Any]) -> Definition:
        """The definition, without the parts that are malformed."""
        parameters: dict[str, Parameter] = {}
        for pointer, item in self._items(document, "Parameters", ""):
            parameter = self._parameter(item, pointer)
            if parameter and parameter.name in parameters:
                cause = f"there is another parameter {parameter.name}"
                self.duplicate_parameters.append(
                    Violation(f"{pointer}/Name", cause, "give each parameter its own name")
                )
            elif parameter:
                parameters[parameter.name] = parameter
        return Definition(parameters, self._steps(document, "Steps", "", ()), document)

    def _steps(self, body: Mapping[str, Any], key: str, pointer: str, branch_path: BranchPath) -> tuple[Step, ...]:
        steps = [self._step(item, inner, branch_path) for inner, item in self._items(body, key, pointer)]
        return tuple(step for step in steps if step)

    def _step(self, item: Any, pointer: str, branch_path: BranchPath) -> Step | None:
        body = self._mapping(item, pointer)
        name, kind = self._text(body, "Name", pointer), self._text(body, "Type", pointer)
        if not name or not kind:
            return None
        if name in self._names:
            cause = f"the step at {self._names[name]} is named {name} too"
            self.duplicate_steps.append(
                Violation(f"{pointer}/Name", cause, "give each step its own name, in branches too")
            )
            return None
        self._names[name] = pointer
        arguments = self._mapping(body.get("Arguments", {}), f"{pointer}/Arguments")
        inner = f"{pointer}/Arguments"
        has_branches = kind == "Condition"
        return Step(
            name=name,
            type=kind,
            arguments=arguments,
            document=body,
            pointer=pointer,
            branch_path=branch_path,
            depends_on=tuple(self._dependencies(body, pointer)),
            property_files=tuple(self._property_files(body, pointer)),
            outputs=dict(self._outputs(body, pointer)),
            if_steps=self._steps(arguments, "IfSteps", inner, (*branch_path, (name, True))) if has_branches else (),
            else_steps=self._steps(arguments, "ElseSteps", inner, (*branch_path, (name, False)))
            if has_branches
            else (),
        )

    def _parameter(self, item: Any, pointer: str) -> Parameter | None:
        body = self._mapping(item, pointer)
        name = self._text(body, "Name", pointer)
        kind = self._text(body, "Type", pointer) if "Type" in body else PARAMETER_TYPES[0]
        if kind and kind not in PARAMETER_TYPES:
            self._report(f"{pointer}/Type", f"there is no parameter type {kind}", f"use {', '.join(PARAMETER_TYPES)}")
        choices = tuple(item for _, item in self._items(body, "EnumValues", pointer))
        return Parameter(name, kind, body.get("DefaultValue"), choices) if name and kind in PARAMETER_TYPES else None

    def _dependencies(self, body: Mapping[str, Any], pointer: str) -> Iterator[Dependency]:
        for inner, item in self._items(body, "DependsOn", pointer):
            if isinstance(item, str):
                yield Dependency(item)
            else:
                named = self._mapping(item, inner)
                yield Dependency(self._text(named, "Step", inner), str(named.get("Trigger", "Completed")))

    def _property_files(self, body: Mapping[str, Any], pointer: str) -> Iterator[PropertyFile]:
        for inner, item in self._items(body, "PropertyFiles", pointer):
            named = self._mapping(item, inner)
            texts = [self._text(named, key, inner) for key in ("PropertyFileName", "OutputName", "FilePath")]
            yield PropertyFile(*texts)

    def _outputs(self, body: Mapping[str, Any], pointer: str) -> Iterator[tuple[str, str]]:
        for inner, item in self._items(body, "OutputParameters", pointer):
            named = self._mapping(item, inner)
            yield self._text(named, "OutputName", inner), self._text(named, "OutputType", inner)

    def _items(self, body: Mapping[str, Any], key: str, pointer: str) -> list[tuple[str, Any]]:
        value = body.get(key)
        if value is not None and not isinstance(value, list):
            self._report(f"{pointer}/{key}", f"{key} is not a list", "write […]")
        return [(f"{pointer}/{key}/{index}", item) for index, item in enumerate(value)] if type(value) is list else []

    def _mapping(self, value: Any, pointer: str) -> Mapping[str, Any]:
        if isinstance(value, Mapping):
            return value
        self._report(pointer, f"{brief(value)} is not an object", "write {…}")
        return {}

    def _text(self, body: Mapping[str, Any], key: str, pointer: str) -> str:
        value = body.get(key)
        if isinstance(value, str) and value:
            return value
        if body:
            where = f"{pointer}/{key}" if key in body else pointer
            self._report(where, f"{key} is missing or not a text", f"write {key} as a text")
        return ""

    def _report(self, pointer: str, cause: str, remedy: str) -> None:
        self.malformed.append(Violation(pointer, cause, remedy))
