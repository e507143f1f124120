"""Settings from files, environment and options: read, laid upon each other, completed, validated, or told what is off.

layers.py reads, and remembers where each value stands; problems.py says in plain words what pydantic
found, and the rules of combinations.py and hyperparameters.py know what cannot work.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from entrypoints import contract
from pipeline.errors import SettingsError
from pipeline.settings import combinations, hyperparameters, problems
from pipeline.settings.layers import FILES_VARIABLE, Layer, environment, read, stacked
from pipeline.settings.parameters import declare
from pipeline.settings.rules import broken
from pipeline.settings.tree import Settings
from steps.config import Config

DEFAULT_FILE = "settings.toml"
RULES = (*combinations.RULES, *hyperparameters.RULES)


def load(
    files: str = "", environ: Mapping[str, str] | None = None, overrides: Mapping[str, Any] | None = None
) -> Settings:
    """The settings of a list of files (first to last, separated as in PATH), the environment, and overrides by key."""
    environ = environ or {}
    names = [name for name in (files or environ.get(FILES_VARIABLE) or DEFAULT_FILE).split(":") if name]
    if not names:
        raise SettingsError([f"--settings: names no file; write {DEFAULT_FILE}, or leave it out"])
    variables = environment(environ, Settings().model_dump(by_alias=True))
    options = [
        Layer.of(key, value, f"--{key.rpartition('.')[2]}")
        for key, value in (overrides or {}).items()
        if value is not None
    ]
    return compose([*_with_tables([read(Path(name)) for name in names], variables), variables, *options])


def compose(layers: Sequence[Layer]) -> Settings:
    """The settings of these layers, or every problem that they have, each with its place."""
    layer = stacked(layers)
    settings = _validated(layer)
    scheduled = _scheduled(settings, layer)
    if scheduled:
        # What a schedule would start must be possible, too.
        _validated(stacked([layer, Layer.of("schedule.parameters", {}, ""), *scheduled]))
    return settings


def _with_tables(files: Sequence[Layer], variables: Layer) -> list[Layer]:
    """The files, on top of the default tables of which variables change an entry and the files say nothing."""
    given = stacked(files).places
    below = [
        Layer.of(key, table, "default")
        for key, table in _tables(Settings())
        if any(name.startswith(f"{key}.") for name in variables.places)
        and not any(f"{name}.".startswith(f"{key}.") for name in given)
    ]
    return [*below, *files]


def _tables(defaults: Config, around: str = "") -> Iterator[tuple[str, Any]]:
    """The tables of the user's making, by key, with their defaults."""
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
        raise SettingsError(problems.described(error, layer, Settings)) from None
    found = broken(RULES, settings)
    if found:
        raise SettingsError([f"{layer.place(one.key, *one.also)}: {one.key} {one.text}" for one in found])
    return settings


def _scheduled(settings: Settings, layer: Layer) -> list[Layer]:
    """The values that a schedule gives to parameters, in the place of the settings that are their defaults."""
    keys = {parameter.name: parameter.key for parameter in declare(settings)}
    return [
        Layer.of(keys[name], _bare(value, settings), layer.place(f"schedule.parameters.{name}"))
        for name, value in settings.schedule.parameters.items()
    ]


def _bare(value: str | int | float, settings: Settings) -> str | int | float:
    """An address without its checksum, where it may have one: S3 itself would take that for a part of the name."""
    if settings.site.network.isolation or not isinstance(value, str):
        return value
    return re.sub(f"{contract.CHECKSUM}[0-9a-f]{{64}}$", "", value)


def _completed(values: Mapping[str, Any], defaults: Config) -> dict[str, Any]:
    """The values with what they leave out: a section given in part keeps the rest of its own defaults.

    A table of the user's making, like the ranges of a search, is given whole; false takes out what a file below put in.
    """
    complete = dict(values)
    for name, field in type(defaults).model_fields.items():
        key, default = field.alias or name, getattr(defaults, name)
        given = values.get(key, default)
        if isinstance(default, Config) and isinstance(given, Mapping):
            complete[key] = _completed(given, default)
        elif isinstance(default, Mapping) and isinstance(given, Mapping):
            complete[key] = {one: value for one, value in given.items() if value is not False}
        else:
            complete[key] = given
    return complete
