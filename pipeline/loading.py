"""Settings from files, environment and options: read, laid upon each other, completed, validated, or told what is off.

pipeline/layers.py reads, and remembers where each value stands; pipeline/problems.py says in plain words what pydantic
found, and the rules of pipeline/combinations.py and pipeline/hyperparameters.py know what cannot work.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from pipeline import combinations, hyperparameters, problems
from pipeline.errors import SettingsError
from pipeline.layers import FILES_VARIABLE, Layer, environment, read, stacked
from pipeline.parameters import declare
from pipeline.rules import broken
from pipeline.settings import Settings
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
    return compose([*(read(Path(name)) for name in names), variables, *options])


def compose(layers: Sequence[Layer]) -> Settings:
    """The settings of these layers, or every problem that they have, each with its place."""
    layer = stacked(layers)
    settings = _validated(layer)
    scheduled = _scheduled(settings, layer)
    if scheduled:
        # What a schedule would start must be possible, too.
        _validated(stacked([layer, Layer.of("schedule.parameters", {}, ""), *scheduled]))
    return settings


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
        Layer.of(keys[name], _without_checksum(value), layer.place(f"schedule.parameters.{name}"))
        for name, value in settings.schedule.parameters.items()
    ]


def _without_checksum(value: str | int | float) -> str | int | float:
    return value.partition("#sha256=")[0] if isinstance(value, str) else value


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
