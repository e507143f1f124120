"""Replaces parameters by their defaults, so that a value can be judged before there is an execution."""

from __future__ import annotations

from typing import Any

from pedigree.language.definition import Definition
from pedigree.language.errors import UnresolvedError
from pedigree.language.expressions import ParameterReference, Reference, evaluate, is_expression, parse


def with_defaults(definition: Definition, value: Any) -> Any:
    """A JSON value with every expression evaluated that needs defaults only; other expressions stay as they are."""
    if is_expression(value):
        try:
            return evaluate(parse(value), lambda reference: _default(definition, reference))
        except UnresolvedError:
            return value
    if isinstance(value, dict):
        return {key: with_defaults(definition, member) for key, member in value.items()}
    if isinstance(value, list):
        return [with_defaults(definition, member) for member in value]
    return value


def _default(definition: Definition, reference: Reference) -> str | int | float | bool:
    if isinstance(reference, ParameterReference) and reference.name in definition.parameters:
        default = definition.parameters[reference.name].default
        if default is not None:
            return default
    raise UnresolvedError("the value is known in an execution only")
