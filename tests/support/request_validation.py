"""Validates the arguments of steps with botocore's own validator, and checks what that leaves out.

Before validation every expression is replaced: a parameter by its default, others by a value of the type that is needed
there, so that the request is like one of an execution. Tests judge the pipeline's steps by it, beside the checks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pedigree.language import shapes
from pedigree.language.defaults import with_defaults
from pedigree.language.definition import Definition, Step
from pedigree.language.errors import UnresolvedError
from pedigree.language.expressions import (
    Join,
    Value,
    is_expression,
    parse,
    references,
)
from pedigree.language.references import UNKNOWN, resolve
from pedigree.language.shapes import Shape

_STAND_IN = "x" * 20
_STAND_INS: Mapping[str, Any] = {"String": _STAND_IN, "Integer": 1, "Float": 1.0, "Boolean": True}
_FITTING = {"Float": ("Float", "Integer")}


def problems(definition: Definition) -> Iterator[str]:
    """One line for each problem in the arguments of the steps."""
    for step in definition.all_steps():
        shape = shapes.request_shape(step.type)
        if shape is not None:
            yield from (f"{step.name}: {problem}" for problem in _step_problems(definition, step, shape))


def concrete(definition: Definition, step: Step) -> dict[str, Any]:
    """The arguments with every expression replaced, and with the name that the service would choose."""
    shape = shapes.request_shape(step.type)
    arguments: dict[str, Any] = _filled(with_defaults(definition, dict(step.arguments)), shape)
    if shape is None:
        return arguments
    name = shapes.OPERATIONS[step.type].name_member
    return {name: step.name, **arguments} if name in shape.required_members else arguments


def mistyped(definition: Definition, value: Any, shape: Shape | None, place: str = "") -> Iterator[str]:
    """The expressions with another type than the request needs."""
    if is_expression(value):
        expected, given = _expected(shape), _given(definition, parse(value))
        if given not in (UNKNOWN, expected) and given not in _FITTING.get(expected, ()):
            yield f"{place} takes {expected} and is given {given}; " + (
                "join it with nothing to make it text" if expected == "String" else "refer to another value"
            )
        return
    for key, member in _inside(value):
        yield from mistyped(definition, member, shapes.inside(shape, key), f"{place}.{key}" if place else str(key))


def _step_problems(definition: Definition, step: Step, shape: Shape | None) -> Iterator[str]:
    from botocore.validate import ParamValidator  # which brings an HTTP client, and most readers need neither

    yield from _unknown_members(dict(step.arguments), shape)
    yield from mistyped(definition, dict(step.arguments), shape)
    report = ParamValidator().validate(concrete(definition, step), shape).generate_report()
    yield from report.splitlines()


def _unknown_members(value: Any, shape: Shape | None, place: str = "") -> Iterator[str]:
    """Members that the operation does not have: botocore leaves them to the service."""
    if is_expression(value) or shape is None:
        return
    if shape.type_name == "structure" and isinstance(value, dict):
        yield from (
            f"{place or shape.name} has no member {key}; remove it" for key in value if key not in shape.members
        )
    for key, member in _inside(value):
        yield from _unknown_members(member, shapes.inside(shape, key), f"{place}.{key}" if place else str(key))


def _filled(value: Any, shape: Shape | None) -> Any:
    if is_expression(value):
        return _STAND_INS.get(_expected(shape), _STAND_IN)
    if isinstance(value, dict):
        return {key: _filled(member, shapes.inside(shape, key)) for key, member in value.items()}
    if isinstance(value, list):
        return [_filled(member, shapes.inside(shape, index)) for index, member in enumerate(value)]
    return value


def _given(definition: Definition, expression: Value) -> str:
    if isinstance(expression, Join):
        return "String"
    try:
        return next((resolve(definition, reference) for reference in references(expression)), UNKNOWN)
    except UnresolvedError:
        return UNKNOWN


def _expected(shape: Shape | None) -> str:
    return UNKNOWN if shape is None else shapes.kind(shape)


def _inside(value: Any) -> Iterator[tuple[str | int, Any]]:
    if isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, list):
        yield from enumerate(value)
