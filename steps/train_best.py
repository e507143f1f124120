"""TrainBest: one machine, the best values that Tune found."""

from __future__ import annotations

from entrypoints import contract
from steps import dag
from steps.build import Build
from steps.debugger import Debugger, debugger_request
from steps.training_job import Training, fixed_hyperparameters, machines, training_request
from steps.tune import Tuning, best_job_name, best_values

NAME = "TrainBest"
CANDIDATE = contract.BEST


def train_best(
    config: Training,
    tuning: Tuning,
    debugger: Debugger,
    build: Build,
    *,
    data: dag.Step,
    search: dag.Step,
    epochs: dag.Expression,
    instance_type: dag.Expression,
) -> dag.Step:
    """The step; its checkpoints lie under the best job's name: a reused search finds them, a new one does not."""
    resources = machines(build, config, instance_type)
    if config.warm_pool_seconds:
        resources["KeepAlivePeriodInSeconds"] = config.warm_pool_seconds
    request = training_request(
        config,
        build,
        image=build.image("training", config.instance_type),
        data=data,
        output=build.site.output(NAME),
        checkpoints=dag.Join(on="/", values=[build.site.uri("checkpoints", NAME), best_job_name(search)]),
        resources=resources,
        max_runtime_seconds=config.max_runtime_seconds,
    )
    values = best_values(search, tuning)
    request["HyperParameters"] = {**fixed_hyperparameters(config, epochs=epochs, tuned=values), **values}
    request |= debugger_request(debugger, build, build.site.output(NAME, "debugger"))
    request["Tags"] = build.site.tag_list()
    description = "Trains on one machine with the best values of the search."
    return dag.RequestStep(NAME, "TRAINING", request, description=description, **build.policies("training"))
