"""The machines of one execution, step by step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pedigree.account.prices import Use
from pipeline.settings.parameters import declare
from pipeline.settings.tree import Settings
from steps import evaluate, prepare_data, train_best, train_distributed, tune
from steps.ranges import grid_points

_HOUR = 3600


@dataclass(frozen=True)
class JobUsage:
    """The jobs of a step: their machines, time limit and assumed duration."""

    step: str
    use: Use
    instance_type: str
    machines: int
    jobs: int
    most_hours: float
    assumed_hours: float


def jobs(s: Settings) -> tuple[JobUsage, ...]:
    """The jobs of one execution."""
    return tuple(_jobs(s))


def machines(s: Settings) -> set[str]:
    """Every instance type that the settings name, alternatives included."""
    named = {parameter.default for parameter in declare(s) if parameter.name.endswith("InstanceType")}
    choices = {
        choice for parameter in declare(s) if parameter.name.endswith("InstanceType") for choice in parameter.choices
    }
    return {str(machine) for machine in named | choices}


def with_values(s: Settings, values: Mapping[str, str | int | float]) -> Settings:
    """The settings with these parameters' values as their defaults."""
    keys = {parameter.name: parameter.key for parameter in declare(s)}
    for name, value in values.items():
        s = _set(s, keys[name].split("."), value)
    return s


def _jobs(s: Settings) -> Iterator[JobUsage]:
    """The assumed hours of each step, for small data and a pretrained network."""
    processing, training, search, apart = s.processing, s.training, s.tuning, s.distributed
    trials = grid_points(search.ranges) if search.strategy == "Grid" else search.max_jobs
    prepared, trained = processing.max_runtime_seconds / _HOUR, training.max_runtime_seconds / _HOUR
    yield JobUsage(prepare_data.NAME, "Processing", processing.instance_type, 1, 1, prepared, 0.25)
    yield JobUsage(tune.NAME, "Training", training.instance_type, 1, trials, trained, 0.5)
    yield JobUsage(train_best.NAME, "Training", training.instance_type, 1, 1, trained, 0.5)
    if training.warm_pool_seconds:
        hours = training.warm_pool_seconds / _HOUR
        yield JobUsage(f"{train_best.NAME} kept warm", "Training", training.instance_type, 1, 1, hours, hours)
    if apart.enabled:
        longest = apart.max_runtime_seconds / _HOUR
        yield JobUsage(train_distributed.NAME, "Training", apart.instance_type, apart.instance_count, 1, longest, 0.25)
    yield JobUsage(evaluate.NAME, "Processing", processing.instance_type, 1, 1, prepared, 0.25)


def _set(config: Any, path: list[str], value: Any) -> Any:
    """A copy of a Config, with a value in it replaced."""
    name, *rest = path
    inner = _set(getattr(config, name), rest, value) if rest else value
    return config.model_copy(update={name: inner})
