"""What AWS says about a definition that it cannot read: its parser stops at the first error, and names no place."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pedigree.language.expressions import is_expression
from pedigree.language.shapes import Shape, request_shape

_ARRAY, _OBJECT = "Expecting start of Json Array.", "Expecting start of Json Object."
_COMPARED = frozenset({"Type", "LeftValue", "RightValue"})
_OF_CONDITION: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(
        ("Equals", "GreaterThan", "GreaterThanOrEqualTo", "LessThan", "LessThanOrEqualTo"),
        _COMPARED,
    ),
    "In": frozenset({"Type", "QueryValue", "Values"}),
    "Not": frozenset({"Type", "Condition"}),
    "Or": frozenset({"Type", "Conditions"}),
}
# Members of the operation's request that its step cannot have: a pipeline registers versions in groups only.
_NOT_IN_STEPS: Mapping[str, frozenset[str]] = {"RegisterModel": frozenset({"ModelPackageName"})}


def refusal(text: str) -> str:
    """The first error that AWS finds in a definition; empty if it finds none, or one that is not known here."""
    try:
        return next(_errors(json.loads(text)), "")
    except (ValueError, RecursionError):
        return ""


def _errors(document: Any) -> Iterator[str]:
    body = document if isinstance(document, dict) else {}
    if not isinstance(body.get("PipelineExperimentConfig") or {}, dict):
        yield _OBJECT
    steps = list(_steps(body.get("Steps")))
    for step in steps:
        yield from _of_step(step)
    yield from _on_fail_steps(steps)


def _steps(written: Any) -> Iterator[Mapping[str, Any]]:
    """Every step, and those in the branches of conditions."""
    for step in written if isinstance(written, list) else ():
        if isinstance(step, dict):
            yield step
            arguments = step.get("Arguments")
            branches = arguments if step.get("Type") == "Condition" and isinstance(arguments, dict) else {}
            for branch in ("IfSteps", "ElseSteps"):
                yield from _steps(branches.get(branch))


def _of_step(step: Mapping[str, Any]) -> Iterator[str]:
    kind, arguments = str(step.get("Type")), step.get("Arguments")
    shape = request_shape(kind)
    if shape is not None and isinstance(arguments, dict):
        yield from _members(shape, arguments, _NOT_IN_STEPS.get(kind, frozenset()))
    elif kind == "Condition" and isinstance(arguments, dict):
        yield from _conditions(arguments.get("Conditions"))


def _value(shape: Shape, value: Any) -> Iterator[str]:
    """The errors in a value; an expression has its value later."""
    if value is not None and not is_expression(value):
        yield from _VALUES.get(shape.type_name, _nothing)(shape, value)


def _nothing(_shape: Shape, _value: Any) -> Iterator[str]:
    yield from ()


def _structure(shape: Shape, value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from _members(shape, value)
    else:
        yield _OBJECT


def _members(shape: Shape, value: Mapping[str, Any], without: frozenset[str] = frozenset()) -> Iterator[str]:
    for name, inner in value.items():
        if name not in shape.members or name in without:
            yield f"Unknown Argument member '{name}'."
        else:
            yield from _value(shape.members[name], inner)


def _map(shape: Shape, value: Any) -> Iterator[str]:
    if not isinstance(value, dict):
        yield _OBJECT
        return
    for inner in value.values():
        yield from _value(shape.value, inner)


def _list(shape: Shape, value: Any) -> Iterator[str]:
    if not isinstance(value, list):
        yield _ARRAY
        return
    for inner in value:
        yield from _value(shape.member, inner)


def _text(shape: Shape, value: Any) -> Iterator[str]:
    # A type of machine may be newer than botocore's model; the step that asks for one that is unknown here fails.
    choices = () if shape.name.endswith("InstanceType") else shape.enum
    if choices and isinstance(value, str) and value not in choices:
        words = f"Value '{value}' for '{shape.name}' failed to satisfy enum value set: [{', '.join(choices)}]"
        yield f"Model Validation failed: {words}"


def _conditions(written: Any) -> Iterator[str]:
    for condition in written if isinstance(written, list) else ():
        if not isinstance(condition, dict):
            yield _OBJECT
            continue
        known = _OF_CONDITION.get(str(condition.get("Type")), frozenset(condition))
        yield from (f"Cannot parse object, unknown property '{name}'." for name in condition if name not in known)
        yield from _conditions(condition.get("Conditions"))
        yield from _conditions([condition["Condition"]] if "Condition" in condition else None)


def _on_fail_steps(steps: list[Mapping[str, Any]]) -> Iterator[str]:
    """Steps that wait for a Fail step, which ends the execution."""
    failing = {str(step.get("Name")) for step in steps if step.get("Type") == "Fail"}
    for step in steps:
        waits = step.get("DependsOn")
        for wait in waits if isinstance(waits, list) else ():
            name = wait.get("Step") if isinstance(wait, dict) else wait
            if isinstance(name, str) and name in failing:
                yield f"{step.get('Name')} can not depends on {name}"


_VALUES: Mapping[str, Callable[[Shape, Any], Iterator[str]]] = {
    "structure": _structure,
    "map": _map,
    "list": _list,
    "string": _text,
}
