"""TrainBest: trains on one machine with the best values of Tune."""

from __future__ import annotations

from entrypoints import contract
from steps import dag
from steps.build import Build
from steps.debugger import DebuggerConfig, debugger_request
from steps.parameters import default_of
from steps.training_job import TrainingConfig, fixed_hyperparameters, machines, resumable_uri, training_request
from steps.tune import TuningConfig, best_job_name, best_values

NAME = "TrainBest"
CANDIDATE = contract.BEST


def train_best(
    config: TrainingConfig,
    tuning: TuningConfig,
    debugger: DebuggerConfig,
    build: Build,
    *,
    data: dag.Step,
    search: dag.Step,
) -> dag.Step:
    """The step; a warm pool keeps its machine for the next execution."""
    resources = machines(build, config)
    if config.warm_pool_seconds:
        resources["KeepAlivePeriodInSeconds"] = config.warm_pool_seconds
    image, values = build.image("training", default_of(config.instance_type)), best_values(search, tuning)
    hyperparameters = {**fixed_hyperparameters(config, tuned=values), **values}
    identity = [image, hyperparameters, debugger.model_dump()]
    request = training_request(
        config,
        build,
        image=image,
        data=data,
        output=build.site.output(NAME),
        checkpoints=resumable_uri(build, "checkpoints", NAME, best_job_name(search), identity),
        resources=resources,
        max_runtime_seconds=config.max_runtime_seconds,
    )
    request["HyperParameters"] = hyperparameters
    tensors = resumable_uri(build, "tensors", NAME, best_job_name(search), identity)
    request |= debugger_request(debugger, build, tensors, build.site.output(NAME, "profile"))
    request["Tags"] = build.site.tag_list()
    description = "Trains on one machine with the best values of the search."
    return build.step(NAME, "training", request, description=description)
