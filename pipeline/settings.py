"""What a build fixes: one typed, frozen tree, composed from the Config of every part.

The values come from the defaults of each Config, then from the files, then from the environment; pipeline/layers.py
reads them and remembers where each one stands, pipeline/combinations.py knows which of them cannot go together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError

from pipeline import combinations, problems
from pipeline.errors import SettingsError
from pipeline.layers import Layer, environment, read, stacked
from pipeline.schedule import Schedule
from steps.build import Images
from steps.config import Config, HyphenatedName
from steps.configure_autoscaling import Autoscaling
from steps.debugger import Debugger
from steps.deploy_endpoint import Endpoint
from steps.functions import Functions
from steps.policies import Cache, Retries
from steps.prepare_data import Data
from steps.processing_job import Processing
from steps.quality_gate import Quality
from steps.register_model import Registry
from steps.site import Site
from steps.train_distributed import Distributed
from steps.training_job import Training
from steps.tune import Tuning

DEFAULT_FILE = "settings.toml"
FILES_VARIABLE = "PEDIGREE_SETTINGS"


class Naming(Config):
    """The pipeline's own name: every function and queue is named after it."""

    name: Annotated[HyphenatedName, Field(max_length=32)] = "dog-breeds"
    description: Annotated[str, Field(max_length=3072)] = (
        "From a folder of images to a deployed, autoscaled classifier."
    )
    parallel_steps: Annotated[int, Field(ge=1, le=100)] = 5


class Settings(Config):
    """Everything that a build fixes."""

    pipeline: Naming = Naming()
    site: Site = Site()
    images: Images = Images()
    data: Data = Data()
    processing: Processing = Processing()
    tuning: Tuning = Tuning()
    training: Training = Training()
    distributed: Distributed = Distributed()
    debugger: Debugger = Debugger()
    quality: Quality = Quality()
    registry: Registry = Registry()
    endpoint: Endpoint = Endpoint()
    autoscaling: Autoscaling = Autoscaling()
    functions: Functions = Functions()
    schedule: Schedule = Schedule()
    retries: Retries = Retries()
    cache: Cache = Cache()


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
