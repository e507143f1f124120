"""Settings from files, environment and options: read, laid upon each other, completed, validated, or told what is off.

pipeline/layers.py reads, and remembers where each value stands; pipeline/problems.py says in plain words what pydantic
found, and pipeline/combinations.py knows which settings cannot go together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from pipeline import combinations, problems
from pipeline.errors import SettingsError
from pipeline.layers import Layer, environment, read, stacked
from pipeline.settings import Settings
from steps.config import Config

DEFAULT_FILE = "settings.toml"
FILES_VARIABLE = "PEDIGREE_SETTINGS"


def load(
    files: str = "", environ: Mapping[str, str] | None = None, overrides: Mapping[str, Any] | None = None
) -> Settings:
    """The settings of a list of files (first to last, separated as in PATH), the environment, and overrides by key."""
    environ = environ or {}
    names = files or environ.get(FILES_VARIABLE, "") or DEFAULT_FILE
    layers = [read(Path(name)) for name in names.split(":") if name]
    return compose([*layers, environment(environ, Settings().model_dump(by_alias=True)), *_overrides(overrides or {})])


def compose(layers: Sequence[Layer]) -> Settings:
    """The settings of these layers, or every problem that they have, each with its place."""
    layer = stacked(layers)
    try:
        settings = Settings.model_validate(_completed(layer.values, Settings()))
    except ValidationError as error:
        raise SettingsError(problems.described(error, layer, Settings)) from None
    found = [
        f"{layer.place(problem.key)}: {problem.key} {problem.text}" for problem in combinations.impossible(settings)
    ]
    if found:
        raise SettingsError(found)
    return settings


def _completed(values: Mapping[str, Any], defaults: Config) -> dict[str, Any]:
    """The values with what they leave out: a section given in part keeps the rest of its own defaults.

    A mapping of the user's making, like the ranges of a search, is given whole or not at all.
    """
    complete = dict(values)
    for name, field in type(defaults).model_fields.items():
        key, default = field.alias or name, getattr(defaults, name)
        if key not in values:
            complete[key] = default
        elif isinstance(default, Config) and isinstance(values[key], Mapping):
            complete[key] = _completed(values[key], default)
    return complete


def _overrides(values: Mapping[str, Any]) -> list[Layer]:
    return [Layer.of(key, value, f"--{key.rpartition('.')[2]}") for key, value in values.items() if value is not None]
