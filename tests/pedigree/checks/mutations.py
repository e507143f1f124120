"""Ways to break a clean definition, generated from its content, each with the place where a finding is expected."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from pedigree.language import model, shapes
from pedigree.language.definition import Step, read
from pedigree.language.expressions import is_expression
from pedigree.language.model import Shape
from pedigree.language.pointers import escape
from pedigree.language.step_roles import ROLE_MEMBERS

Document = dict[str, Any]
Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Mutation:
    """A change at a path, and the path at or below which a finding must be."""

    kind: str
    path: Path
    change: Callable[[Any, Any], None]
    reported_at: Path

    def apply(self, document: Document) -> Document:
        """A broken copy."""
        broken = copy.deepcopy(document)
        place: Any = broken
        for key in self.path[:-1]:
            place = place[key]
        self.change(place, self.path[-1])
        return broken

    @property
    def pointer(self) -> str:
        """The pointer to the place of the expected finding."""
        return "".join(f"/{escape(str(key))}" for key in self.reported_at)


def mutations(document: Document) -> Iterator[Mutation]:
    """All of them."""
    for step in read(document).all_steps():
        path = tuple(int(part) if part.isdigit() else part for part in step.pointer.split("/")[1:])
        yield from _of_step(step, path)
        operation = shapes.OPERATIONS.get(step.type)
        if operation:
            shape = model.input_shape(operation.create)
            yield from _of_request(step.arguments, shape, (*path, "Arguments"), operation.name_member)
        yield from _of_references(dict(step.own_arguments), (*path, "Arguments"))
    yield from _of_parameters(document)
    yield from _of_names(document, ())


_NAMES = ("OutputName", "PropertyFileName", "MetricName")
"""Members whose value other parts refer to: a new name is reported there, so no place is expected."""


def _of_names(value: Any, path: Path) -> Iterator[Mutation]:
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        if key in _NAMES and "OutputParameters" not in path:
            yield Mutation("renamed entry", (*path, key), _put(f"{inner}-new"), ())
        elif key == "Name" and "ParameterRanges" in path:
            yield Mutation("renamed range", (*path, key), _put(f"{inner}_new"), ())
        yield from _of_names(inner, (*path, key))


def _of_step(step: Step, path: Path) -> Iterator[Mutation]:
    yield Mutation("no type", (*path, "Type"), _drop, path)
    yield Mutation("type", (*path, "Type"), _put(f"{step.type}s"), (*path, "Type"))
    yield Mutation("name", (*path, "Name"), _put("two words"), (*path, "Name"))
    yield Mutation("dependency", (*path, "DependsOn"), _put(["Nobody"]), (*path, "DependsOn"))
    yield Mutation("cycle", (*path, "DependsOn"), _put([step.name]), path)
    yield Mutation("member", (*path, "Retry"), _put([]), (*path, "Retry"))
    for index, _ in enumerate(step.document.get("RetryPolicies", [])):
        yield Mutation("attempts", (*path, "RetryPolicies", index, "MaxAttempts"), _put(99), (*path, "RetryPolicies"))


def _of_request(value: Any, shape: Shape, path: Path, chosen: str) -> Iterator[Mutation]:
    if is_expression(value):
        return
    wrong = 7 if shape.type_name not in ("integer", "long", "float", "double") else "seven"
    yield Mutation("wrong type", path, _put(wrong), path)
    if shape.type_name == "structure":
        yield Mutation("unknown member", (*path, "Surplus"), _put("x"), (*path, "Surplus"))
        for name, member in value.items():
            if name in shape.required_members and name not in (chosen, *ROLE_MEMBERS):
                yield Mutation("missing member", (*path, name), _drop, path)
            yield from _of_request(member, shape.members[name], (*path, name), "")
    elif shape.type_name == "list":
        for index, item in enumerate(value):
            yield from _of_request(item, shape.member, (*path, index), "")
    elif shape.type_name == "string" and shape.enum:
        yield Mutation("choice", path, _put(f"{value}x"), path)
    elif shape.metadata.get("min", 0) > 0 and shape.type_name == "integer":
        yield Mutation("too small", path, _put(-1), path)


def _of_references(value: Any, path: Path) -> Iterator[Mutation]:
    if isinstance(value, dict) and isinstance(value.get("Get"), str):
        root, _, rest = value["Get"].partition(".")
        name, dot, tail = rest.partition(".")
        yield Mutation("renamed", (*path, "Get"), _put(f"{root}.{name}x{dot}{tail}"), path[: _outermost(path)])
        yield Mutation("unreadable", (*path, "Get"), _put(f"{root}..{name}"), path[: _outermost(path)])
        if root == "Steps" and "PropertyFiles" not in tail:
            yield Mutation("wrong path", (*path, "Get"), _put(f"Steps.{name}.No{tail}"), path[: _outermost(path)])
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from _of_references(inner, (*path, key))


def _outermost(path: Path) -> int:
    """The length of the path to the expression around another one, or to the condition around it."""
    for index, key in enumerate(path):
        if key in ("Std:Join", "Std:JsonGet"):
            return index
        if key in ("LeftValue", "RightValue"):
            return index
    return len(path)


def _of_parameters(document: Document) -> Iterator[Mutation]:
    for index, parameter in enumerate(document["Parameters"]):
        path: Path = ("Parameters", index)
        other = 7 if parameter["Type"] == "String" else "seven"
        yield Mutation("default", (*path, "DefaultValue"), _put(other), (*path, "DefaultValue"))
        yield Mutation("parameter type", (*path, "Type"), _put("Text"), (*path, "Type"))
        yield Mutation("parameter name", (*path, "Name"), _put(f"{parameter['Name']}2"), path)
        if "EnumValues" in parameter:
            yield Mutation("beside choices", (*path, "DefaultValue"), _put("none"), (*path, "DefaultValue"))


def _drop(place: Any, key: Any) -> None:
    del place[key]


def _put(value: Any) -> Callable[[Any, Any], None]:
    def change(place: Any, key: Any) -> None:
        place[key] = value

    return change
