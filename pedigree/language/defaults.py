"""Replaces parameters by their values, so that a definition can be judged before there is an execution."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
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


def outlined(definition: Definition, value: Any) -> Any:
    """A JSON value with every expression evaluated; an ellipsis stands for what an execution knows only."""
    if is_expression(value):
        return evaluate(parse(value), lambda reference: _default_or_ellipsis(definition, reference))
    if isinstance(value, dict):
        return {key: outlined(definition, member) for key, member in value.items()}
    if isinstance(value, list):
        return [outlined(definition, member) for member in value]
    return value


def with_values(definition: Definition, values: Mapping[str, str]) -> Definition:
    """The definition with the values of an execution as the defaults of its parameters."""
    parameters = {
        name: replace(parameter, default=_typed(parameter.type, values[name])) if name in values else parameter
        for name, parameter in definition.parameters.items()
    }
    return replace(definition, parameters=parameters)


def _typed(kind: str, text: str) -> str | int | float | bool:
    if kind == "String":
        return text
    value: int | float | bool = json.loads(text.lower())
    return value


def _default_or_ellipsis(definition: Definition, reference: Reference) -> str | int | float | bool:
    try:
        return _default(definition, reference)
    except UnresolvedError:
        return "…"


def _default(definition: Definition, reference: Reference) -> str | int | float | bool:
    if isinstance(reference, ParameterReference) and reference.name in definition.parameters:
        default = definition.parameters[reference.name].default
        if default is not None:
            return default
    raise UnresolvedError("the value is known in an execution only")
