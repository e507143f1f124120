"""The values of an execution's parameters: text in requests, converted to the parameter's type."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pedigree.language.definition import Definition, Parameter
from pedigree.language.near import did_you_mean
from pedigree.localaws.http.protocol.errors import InvalidRequestError

_TOO_SHORT = 'string "" is too short (length: 0, required minimum: 1)'


def given(definition: Definition, written: Mapping[str, str]) -> dict[str, Any]:
    """The value of each parameter, from the request or its default; without either the request is refused."""
    unknown = sorted(set(written) - set(definition.parameters))
    if unknown:
        hint = did_you_mean(unknown[0], definition.parameters)
        cause = f"Parameter {unknown[0]} is not defined in the pipeline definition"
        raise InvalidRequestError(f"{cause}; {hint}" if hint else cause)
    if short := [name for name, parameter in definition.parameters.items() if _is_empty(parameter, written.get(name))]:
        raise InvalidRequestError(f"[{', '.join(_TOO_SHORT for _ in short)}]")
    values = {
        name: _typed(parameter, written[name]) if name in written else parameter.default
        for name, parameter in definition.parameters.items()
    }
    lacking = [name for name, value in values.items() if value is None]
    if lacking:
        words = f"Parameter {lacking[0]} has no default value in the pipeline definition"
        raise InvalidRequestError(f"{words}, and the execution is given none")
    return values


def _is_empty(parameter: Parameter, text: str | None) -> bool:
    return parameter.type == "String" and text == ""


def _typed(parameter: Parameter, text: str) -> Any:
    try:
        value = _READERS[parameter.type](text)
    except (ValueError, KeyError):
        raise InvalidRequestError(f"Parameter {parameter.name} has {text!r}, which is no {parameter.type}") from None
    if not parameter.accepts(value):
        choices = ", ".join(parameter.choices)
        raise InvalidRequestError(f"Parameter {parameter.name} has {text!r}, which is not one of [{choices}]")
    return value


_READERS: Mapping[str, Callable[[str], Any]] = {
    "String": str,
    "Integer": int,
    "Float": float,
    "Boolean": lambda text: {"true": True, "false": False}[text.lower()],
}
