"""Loads settings from files, the environment and options: read, merged, completed and validated.

layers.py reads and keeps the place of each value. problems.py turns what pydantic finds into plain words. The rules in
image_rules.py, endpoint_rules.py and training_rules.py find values that exclude each other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from entrypoints import contract
from pipeline.settings import endpoint_rules, image_rules, problems, training_rules
from pipeline.settings.errors import InvalidSettingError, SettingsError
from pipeline.settings.layers import FILES_VARIABLE, Layer, environment, read, stacked
from pipeline.settings.parameters import declare
from pipeline.settings.rules import Problem, find_problems
from pipeline.settings.tree import Settings
from steps.config import Config

DEFAULT_FILE = "settings.toml"
RULES = (*image_rules.RULES, *endpoint_rules.RULES, *training_rules.RULES)


def load(
    files: str = "", environ: Mapping[str, str] | None = None, overrides: Mapping[str, Any] | None = None
) -> Settings:
    """The settings of a list of files (first to last, separated as in PATH), the environment, and overrides by key."""
    return compose(read_layers(files, environ, overrides))


def read_layers(
    files: str = "", environ: Mapping[str, str] | None = None, overrides: Mapping[str, Any] | None = None
) -> list[Layer]:
    """The layers of these settings, the lowest first."""
    environ = environ or {}
    names = [name for name in (files or environ.get(FILES_VARIABLE) or DEFAULT_FILE).split(":") if name]
    if not names:
        raise SettingsError([InvalidSettingError("--settings", "names no file", f"write {DEFAULT_FILE}, or omit it")])
    variables = environment(environ, Settings().model_dump(by_alias=True))
    options = [
        Layer.of(key, value, f"--{key.rpartition('.')[2]}")
        for key, value in (overrides or {}).items()
        if value is not None
    ]
    return [*_with_tables([read(Path(name)) for name in names], variables), variables, *options]


def check_values(values: Mapping[str, str], layers: Sequence[Layer]) -> None:
    """Raises SettingsError if the settings would be refused with these values of parameters, as a start gives them.

    What is not a value of a parameter's type is left to the service's own check.
    """
    layer = stacked(layers)
    settings = _validated(layer)
    declared = {parameter.name: parameter for parameter in declare(settings)}
    given = [
        Layer.of(declared[name].key, _without_checksum(value, settings), f"{name}={text}")
        for name, text in values.items()
        if name in declared and (value := declared[name].parsed(text)) is not None
    ]
    if given:
        _validated(stacked([layer, *given]))


def compose(layers: Sequence[Layer]) -> Settings:
    """The settings of these layers; a SettingsError has every mistake, each with its place."""
    layer = stacked(layers)
    settings = _validated(layer)
    scheduled = _scheduled(settings, layer)
    if scheduled:
        # An execution that the schedule starts must be possible, too.
        _validated(stacked([layer, Layer.of("schedule.parameters", {}, ""), *scheduled]))
    return settings


def _with_tables(files: Sequence[Layer], variables: Layer) -> list[Layer]:
    """The files, on top of the default tables that only variables change."""
    in_files = stacked(files).places
    defaults = [
        Layer.of(key, table, "default")
        for key, table in _tables(Settings())
        if any(name.startswith(f"{key}.") for name in variables.places)
        and not any(f"{name}.".startswith(f"{key}.") for name in in_files)
    ]
    return [*defaults, *files]


def _tables(defaults: Config, around: str = "") -> Iterator[tuple[str, Any]]:
    """The tables with names that users choose, by key, with their defaults."""
    plain = defaults.model_dump(by_alias=True)
    for name, field in type(defaults).model_fields.items():
        key, value = field.alias or name, getattr(defaults, name)
        if isinstance(value, Config):
            yield from _tables(value, f"{around}{key}.")
        elif isinstance(value, Mapping):
            yield f"{around}{key}", plain[key]


def _validated(layer: Layer) -> Settings:
    try:
        settings = Settings.model_validate(_completed(layer.values, Settings()))
    except ValidationError as error:
        raise SettingsError(problems.explain(error, layer, Settings)) from None
    violations = find_problems(RULES, settings)
    if violations:
        raise SettingsError([_invalid_setting(problem, layer) for problem in violations])
    return settings


def _invalid_setting(problem: Problem, layer: Layer) -> InvalidSettingError:
    return InvalidSettingError(layer.place(*problem.keys), f"{problem.key} {problem.cause}", problem.remedy)


def _scheduled(settings: Settings, layer: Layer) -> list[Layer]:
    """The scheduled values of parameters, as layers that replace the defaults."""
    keys = {parameter.name: parameter.key for parameter in declare(settings)}
    return [
        Layer.of(keys[name], _without_checksum(value, settings), layer.place(f"schedule.parameters.{name}"))
        for name, value in settings.schedule.parameters.items()
    ]


def _without_checksum(value: str | int | float, settings: Settings) -> str | int | float:
    """An address without its checksum; with network isolation S3 reads a checksum as part of the name, so it stays."""
    if settings.site.network.isolation or not isinstance(value, str):
        return value
    return re.sub(f"{contract.CHECKSUM}[0-9a-f]{{64}}$", "", value)


def _completed(values: Mapping[str, Any], defaults: Config) -> dict[str, Any]:
    """The values, completed with defaults: a section that is given in part keeps its other defaults.

    A table with names of the user, like the ranges of a search, is replaced as a whole; false removes an entry.
    """
    complete = dict(values)
    for name, field in type(defaults).model_fields.items():
        key, default = field.alias or name, getattr(defaults, name)
        value = values.get(key, default)
        if isinstance(default, Config) and isinstance(value, Mapping):
            complete[key] = _completed(value, default)
        elif isinstance(default, Mapping) and isinstance(value, Mapping):
            complete[key] = {entry: member for entry, member in value.items() if member is not False}
        else:
            complete[key] = value
    return complete
