"""Which parameters the pipeline has, and the settings as steps see them: with the parameters in place of the values.

Parameters are declared on the fields of the settings, with steps.parameters.ExecutionParameter, and keep the order of
the fields. Where only some values are possible, the parameter lists them: Studio shows a menu, and the service refuses
anything else. Machines are listed because the image and the volume key are chosen when the definition is built: an
execution can choose among the machines that both are right for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, get_args, get_origin

from pydantic.fields import FieldInfo

from pipeline.settings.tree import Settings
from steps import dag
from steps.config import Config
from steps.parameters import ExecutionParameter, Value

_NAMES_OF_TYPES: Mapping[type, str] = {str: "text in quotes", int: "a whole number", float: "a number"}
C = TypeVar("C", bound=Config)


@dataclass(frozen=True)
class DeclaredParameter:
    """A value that every start can replace; its default is the setting of that key."""

    name: str
    key: str
    default: Value
    choices: tuple[str, ...] = ()

    @property
    def type_name(self) -> str:
        """The type that it accepts, in a user's words."""
        return _NAMES_OF_TYPES[type(self.default)]

    def accepts(self, value: Value) -> bool:
        """Whether a value has its type; a whole number is a number, too."""
        return isinstance(value, (int, float) if isinstance(self.default, float) else type(self.default))

    def parsed(self, text: str) -> Value | None:
        """The value in a text, as its setting has it; None if the text has another type."""
        try:
            return type(self.default)(text)
        except ValueError:
            return None

    def expression(self) -> dag.Expression:
        """The SDK's parameter, which requests refer to."""
        if isinstance(self.default, str):
            return dag.StrictString(self.name, self.default, list(self.choices) or None)
        parameter = dag.StrictInteger if isinstance(self.default, int) else dag.StrictFloat
        return parameter(self.name, self.default)


def declare(settings: Settings) -> tuple[DeclaredParameter, ...]:
    """The parameters of the pipeline that these settings make; each is used by at least one of its steps."""
    return tuple(_declared(settings, settings))


def expressions(settings: Settings) -> Mapping[str, dag.Expression]:
    """The SDK's parameters by the key of their setting."""
    return {parameter.key: parameter.expression() for parameter in declare(settings)}


def bind(config: C, parameters: Mapping[str, dag.Expression], section: str = "") -> C:
    """The settings with the parameters in place of the values of their keys."""
    replaced = {}
    for name, field in type(config).model_fields.items():
        key, value = _key(section, name, field), getattr(config, name)
        if key in parameters:
            replaced[name] = parameters[key]
        elif isinstance(value, Config):
            replaced[name] = bind(value, parameters, f"{key}.")
    return config.model_copy(update=replaced)


def _declared(config: Config, settings: Settings, section: str = "") -> Iterator[DeclaredParameter]:
    for name, field in type(config).model_fields.items():
        key, value = _key(section, name, field), getattr(config, name)
        if isinstance(value, Config):
            yield from _declared(value, settings, f"{key}.")
        for mark in field.metadata:
            if isinstance(mark, ExecutionParameter) and (mark.exists is None or mark.exists(config, settings)):
                default = mark.default(config, settings) if mark.default else value
                choices = mark.choices(config, settings) if mark.choices else _literals(field)
                yield DeclaredParameter(
                    mark.name, key, float(default) if field.annotation is float else default, choices
                )


def _key(section: str, name: str, field: FieldInfo) -> str:
    return f"{section}{field.alias or name}"


def _literals(field: FieldInfo) -> tuple[Any, ...]:
    return get_args(field.annotation) if get_origin(field.annotation) is Literal else ()
