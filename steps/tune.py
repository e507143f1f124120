"""Tune: searches the hyperparameters with ranges, by running the training script."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from entrypoints import contract
from steps import dag
from steps.build import Build
from steps.config import Config, Count, FrozenMapping, one_of
from steps.parameters import ExecutionParameter, default_of
from steps.ranges import Categorical, Continuous, Range, parameter_ranges
from steps.training_job import TrainingConfig, fixed_hyperparameters, machines, training_request

NAME = "Tune"
MOST_JOBS = 750


def _limits_jobs(tuning: TuningConfig, _: object) -> bool:
    """A grid has as many jobs as points."""
    return tuning.strategy != "Grid"


class TuningConfig(Config):
    """The search: its strategy, its length and its ranges."""

    strategy: Literal["Bayesian", "Random", "Grid", "Hyperband"] = "Bayesian"
    """Bayesian, Random, Grid (categorical ranges only) or Hyperband."""
    objective: Annotated[str, one_of(contract.OBJECTIVES)] = "validation:loss"
    """Or validation:accuracy."""
    max_jobs: Annotated[int, Field(ge=1, le=MOST_JOBS), ExecutionParameter("TuningMaxJobs", exists=_limits_jobs)] = 2
    """A grid has as many jobs as points."""
    parallel_jobs: Annotated[int, Field(ge=1, le=100), ExecutionParameter("TuningMaxParallelJobs")] = 1
    early_stopping: Literal["Off", "Auto"] = "Off"
    """Or Auto."""
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 42
    hyperband_min_epochs: Count = 1
    """With Hyperband only."""
    ranges: FrozenMapping[Range] = Field(
        default={
            "learning_rate": Continuous(type="continuous", min=0.001, max=0.1, scaling="Logarithmic"),
            "batch_size": Categorical(type="categorical", values=(32, 64, 128, 256, 512)),
        },
        min_length=1,
        max_length=30,
    )
    """Hyperparameters that are tuned."""


def tune(
    config: TuningConfig,
    training: TrainingConfig,
    build: Build,
    *,
    data: dag.Step,
) -> dag.Step:
    """The step; the training steps train with its best job's values."""
    objective = {"MetricName": config.objective, "Type": contract.METRICS[config.objective]}
    definition = training_request(
        training,
        build,
        image=build.image("training", default_of(training.instance_type)),
        data=data,
        output=build.site.output(NAME),
        checkpoints=build.site.output(NAME, "checkpoints"),
        resources=machines(build, training),
        max_runtime_seconds=training.max_runtime_seconds,
    )
    definition["StaticHyperParameters"] = fixed_hyperparameters(training, tuned=config.ranges)
    request = {
        "HyperParameterTuningJobConfig": {
            **_strategy(config, training.epochs),
            "HyperParameterTuningJobObjective": objective,
            "ResourceLimits": _limits(config),
            "ParameterRanges": parameter_ranges(config.ranges),
            "TrainingJobEarlyStoppingType": config.early_stopping,
            "RandomSeed": config.seed,
        },
        "TrainingJobDefinition": definition,
        "Tags": build.site.tag_list(),
    }
    description = "Searches the hyperparameters that make the best model on the validation images."
    return build.step(NAME, "tuning", request, description=description)


def best_values(step: dag.Step, config: TuningConfig) -> dict[str, dag.Expression]:
    """The best job's value of every tuned hyperparameter, as text."""
    return {name: step.properties.BestTrainingJob.TunedHyperParameters[name] for name in config.ranges}


def best_job_name(step: dag.Step) -> dag.Expression:
    """The name of the best job: the same while the search is reused, new with every new search."""
    return step.properties.BestTrainingJob.TrainingJobName


def _strategy(config: TuningConfig, epochs: int) -> dict[str, Any]:
    if config.strategy != "Hyperband":
        return {"Strategy": config.strategy}
    resource = {"MinResource": config.hyperband_min_epochs, "MaxResource": epochs}
    return {"Strategy": config.strategy, "StrategyConfig": {"HyperbandStrategyConfig": resource}}


def _limits(config: TuningConfig) -> dict[str, Any]:
    total = {} if config.strategy == "Grid" else {"MaxNumberOfTrainingJobs": config.max_jobs}
    return {**total, "MaxParallelTrainingJobs": config.parallel_jobs}
