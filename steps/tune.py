"""Tune: search the hyperparameters that settings give ranges for, over the training script itself."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from entrypoints import contract
from steps import dag
from steps.build import Build
from steps.config import Config, Count, FrozenMapping, one_of
from steps.ranges import Categorical, Continuous, Range, parameter_ranges
from steps.training_job import Training, fixed_hyperparameters, machines, training_request

NAME = "Tune"
MOST_JOBS = 750


class Tuning(Config):
    """What is searched, how, and for how long."""

    strategy: Literal["Bayesian", "Random", "Grid", "Hyperband"] = "Bayesian"
    objective: Annotated[str, one_of(contract.OBJECTIVES)] = "validation:loss"
    max_jobs: Annotated[int, Field(ge=1, le=MOST_JOBS)] = 2
    parallel_jobs: Annotated[int, Field(ge=1, le=100)] = 1
    early_stopping: Literal["Off", "Auto"] = "Off"
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 42
    hyperband_min_epochs: Count = 1
    ranges: FrozenMapping[Range] = Field(
        default={
            "learning_rate": Continuous(type="continuous", min=0.001, max=0.1, scaling="Logarithmic"),
            "batch_size": Categorical(type="categorical", values=(32, 64, 128, 256, 512)),
        },
        min_length=1,
        max_length=30,
    )


def tune(
    config: Tuning,
    training: Training,
    build: Build,
    *,
    data: dag.Step,
    epochs: dag.Expression,
    instance_type: dag.Expression,
    max_jobs: dag.Expression,
    parallel_jobs: dag.Expression,
) -> dag.Step:
    """The step; its best job's values are what the training steps train with."""
    objective = {"MetricName": config.objective, "Type": contract.METRICS[config.objective]}
    definition = training_request(
        training,
        build,
        image=build.image("training", training.instance_type),
        data=data,
        output=build.site.output(NAME),
        checkpoints=build.site.output(NAME, "checkpoints"),
        resources=machines(build, training, instance_type),
        max_runtime_seconds=training.max_runtime_seconds,
    )
    definition["StaticHyperParameters"] = fixed_hyperparameters(training, epochs=epochs, tuned=config.ranges)
    request = {
        "HyperParameterTuningJobConfig": {
            **_strategy(config, epochs),
            "HyperParameterTuningJobObjective": objective,
            "ResourceLimits": _limits(config, max_jobs, parallel_jobs),
            "ParameterRanges": parameter_ranges(config.ranges),
            "TrainingJobEarlyStoppingType": config.early_stopping,
            "RandomSeed": config.seed,
        },
        "TrainingJobDefinition": definition,
        "Tags": build.site.tag_list(),
    }
    description = "Searches the hyperparameters that make the best model on the validation images."
    return build.step(NAME, "tuning", request, description=description)


def best_values(step: dag.Step, config: Tuning) -> dict[str, dag.Expression]:
    """The best job's value of every tuned hyperparameter: text already, as the next request wants it."""
    return {name: step.properties.BestTrainingJob.TunedHyperParameters[name] for name in config.ranges}


def best_job_name(step: dag.Step) -> dag.Expression:
    """The name of the best job: the same as long as the search is reused, and new with every new search."""
    return step.properties.BestTrainingJob.TrainingJobName


def _strategy(config: Tuning, epochs: dag.Expression) -> dict[str, Any]:
    if config.strategy != "Hyperband":
        return {"Strategy": config.strategy}
    resource = {"MinResource": config.hyperband_min_epochs, "MaxResource": epochs}
    return {"Strategy": config.strategy, "StrategyConfig": {"HyperbandStrategyConfig": resource}}


def _limits(config: Tuning, max_jobs: dag.Expression, parallel_jobs: dag.Expression) -> dict[str, Any]:
    every = {} if config.strategy == "Grid" else {"MaxNumberOfTrainingJobs": max_jobs}
    return {**every, "MaxParallelTrainingJobs": parallel_jobs}
