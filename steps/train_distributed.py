"""TrainDistributed: trains on several machines, data parallel, with the best values of Tune. Settings can omit it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from entrypoints import contract
from pedigree.aws.machines import SMDDP_TYPES, menu
from steps import dag
from steps.build import Build
from steps.config import Config, JobSeconds, TrainingInstance, Unique, VolumeGigabytes
from steps.parameters import ExecutionParameter, default_of
from steps.training_job import TrainingConfig, fixed_hyperparameters, machines, resumable_uri, training_request
from steps.tune import TuningConfig, best_job_name, best_values

NAME = "TrainDistributed"
CANDIDATE = contract.DISTRIBUTED
_LAUNCHERS = {
    "smddp": {"sagemaker_distributed_dataparallel_enabled": "true"},
    "torchrun": {"sagemaker_torch_distributed_enabled": "true"},
}


def _enabled(distributed: DistributedConfig, _: object) -> bool:
    return distributed.enabled


def _menu(distributed: DistributedConfig, _: object) -> tuple[str, ...]:
    alternatives = distributed.alternatives or (SMDDP_TYPES if distributed.launcher == "smddp" else ())
    return menu("Training", distributed.instance_type, alternatives)


class DistributedConfig(Config):
    """The machines of a distributed training, and what starts the processes on them."""

    enabled: bool = True
    """false leaves the step out."""
    launcher: Literal["smddp", "torchrun"] = "smddp"
    """Or torchrun, which runs on all machines."""
    instance_type: Annotated[
        TrainingInstance, ExecutionParameter("DistributedInstanceType", choices=_menu, exists=_enabled)
    ] = "ml.p4d.24xlarge"
    """With smddp: ml.p4d.24xlarge or ml.p4de.24xlarge."""
    alternatives: Unique[TrainingInstance] = Field(default=(), max_length=50)
    """As in [processing]."""
    instance_count: Annotated[
        int, Field(ge=2, le=64), ExecutionParameter("DistributedInstanceCount", exists=_enabled)
    ] = 2
    volume_gigabytes: VolumeGigabytes = 50
    max_runtime_seconds: JobSeconds = 28_800


def train_distributed(
    config: DistributedConfig,
    training: TrainingConfig,
    tuning: TuningConfig,
    build: Build,
    *,
    data: dag.Step,
    search: dag.Step,
) -> dag.Step:
    """The step; the training toolkit starts the script on every machine with the launcher."""
    image, values = build.image("distributed", default_of(config.instance_type)), best_values(search, tuning)
    launch = {
        **_LAUNCHERS[config.launcher],
        "sagemaker_distribution_instance_groups": '["homogeneousCluster"]',
        "sagemaker_instance_type": config.instance_type,
    }
    hyperparameters = {**fixed_hyperparameters(training, tuned=values), **values, **launch}
    request = training_request(
        training,
        build,
        image=image,
        data=data,
        output=build.site.output(NAME),
        checkpoints=resumable_uri(build, "checkpoints", NAME, best_job_name(search), [image, hyperparameters]),
        resources=machines(build, config, config.instance_count),
        max_runtime_seconds=config.max_runtime_seconds,
    )
    request["HyperParameters"] = hyperparameters
    request["Tags"] = build.site.tag_list()
    description = "Trains on several machines, data parallel, with the best values of the search."
    return build.step(NAME, "training", request, description=description)
