"""What the training steps have in common: hyperparameters, channels, machines, and the request around the script.

Tune, TrainBest and TrainDistributed run the same script on the same channels. CreateTrainingJob and the training
definition of CreateHyperParameterTuningJob name these members alike, so one function writes them for all three.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Protocol

from pydantic import Field

from entrypoints import contract
from pedigree.aws.machines import TrainingInstance
from steps import dag
from steps.build import Build
from steps.config import S3_FILE, Config, FrozenMapping, JobSeconds, Unique, VolumeGigabytes, like, one_of
from steps.processing_job import output_uri

DATA_CHANNELS = (contract.TRAINING, contract.VALIDATION, contract.DATASET)


def _within(hyperparameter: str) -> Any:
    """The bounds in which the script takes a number."""
    _, least, most = contract.NUMBERS[hyperparameter]
    return Field(ge=least, le=most)


class Machine(Protocol):
    """What a Config says of the machines that its step takes by default."""

    @property
    def instance_type(self) -> str:
        """The type, as settings name it."""

    @property
    def alternatives(self) -> tuple[str, ...]:
        """The types that may stand in for it."""

    @property
    def volume_gigabytes(self) -> int:
        """The size of its disk."""


class Training(Config):
    """The network, how it is trained, and on which machine."""

    architecture: Annotated[str, like("resnet50", r"[a-z][a-z0-9_]*"), Field(max_length=64)] = "resnet50"
    weights: Annotated[
        str,
        like("none, IMAGENET1K_V2 or s3://bucket/weights.pth", rf"none|{S3_FILE}|[A-Z][A-Z0-9_]*"),
        Field(max_length=1024),
    ] = "IMAGENET1K_V2"
    layers: Annotated[str, one_of(contract.LAYERS)] = "head"
    epochs: Annotated[int, _within("epochs")] = 50
    precision: Annotated[str, one_of(contract.PRECISIONS)] = "auto"
    seed: Annotated[int, _within("seed")] = 42
    hyperparameters: FrozenMapping[int | float | str] = Field(
        default={"learning_rate": 0.01, "batch_size": 64, "head_width": 128, "patience": 5}, max_length=80
    )
    instance_type: TrainingInstance = "ml.g4dn.xlarge"
    alternatives: Unique[TrainingInstance] = Field(default=(), max_length=50)
    volume_gigabytes: VolumeGigabytes = 50
    max_runtime_seconds: JobSeconds = 28_800
    input_mode: Literal["File", "FastFile"] = "File"
    spot: bool = False
    max_wait_seconds: JobSeconds = 57_600
    warm_pool_seconds: Annotated[int, Field(ge=0, le=21_600)] = 0


def fixed_hyperparameters(
    config: Training, *, epochs: dag.Expression, tuned: Mapping[str, Any]
) -> dict[str, dag.Expression]:
    """Every hyperparameter that is not tuned: rendered as text, which is all that the service takes."""
    chosen = {
        **config.hyperparameters,
        "architecture": config.architecture,
        "layers": config.layers,
        "precision": config.precision,
        "seed": config.seed,
        "weights": contract.WEIGHTS_CHANNEL if config.weights.startswith("s3://") else config.weights,
    }
    code = {
        "sagemaker_program": contract.TRAIN,
        "sagemaker_submit_directory": f"{contract.INPUT_DATA}/{contract.CODE}/{contract.SOURCE_ARCHIVE}",
        "sagemaker_container_log_level": "20",
    }
    return {
        **{name: str(value) for name, value in chosen.items() if name not in tuned},
        "epochs": epochs.to_string(),
        **code,
    }


def training_request(
    config: Training,
    build: Build,
    *,
    image: str,
    data: dag.Step,
    output: dag.Expression,
    checkpoints: dag.Expression,
    resources: Mapping[str, Any],
    max_runtime_seconds: int,
) -> dict[str, Any]:
    """The members that a training job and a tuner's training definition share."""
    site = build.site
    return {
        "AlgorithmSpecification": {
            "TrainingImage": image,
            "TrainingInputMode": config.input_mode,
            "MetricDefinitions": metric_definitions(),
        },
        "Environment": {"PYTHONUNBUFFERED": "1"},
        "InputDataConfig": _channels(config, build, data),
        "OutputDataConfig": {"S3OutputPath": output, **site.encryption.output()},
        "ResourceConfig": dict(resources),
        **site.network.vpc(),
        "EnableNetworkIsolation": site.network.isolation,
        "EnableInterContainerTrafficEncryption": site.network.encrypt_traffic,
        "RoleArn": site.role("job"),
        **_stopping(config, max_runtime_seconds, checkpoints),
    }


def machines(build: Build, config: Machine, instance_type: dag.Expression, count: dag.Expression = 1) -> dict[str, Any]:
    """The ResourceConfig of a training request."""
    return {
        "InstanceType": instance_type,
        "InstanceCount": count,
        "VolumeSizeInGB": config.volume_gigabytes,
        **build.site.encryption.volume(config.instance_type),
    }


def kept_apart(build: Build, kind: str, step: str, search_name: dag.Expression, identity: Any) -> dag.Expression:
    """Where a training step keeps what outlives an execution: under the search's best job, and its own identity.

    The place is part of the step's cache key. It is the same as long as the search is reused and the step trains the
    same way, and another as soon as either changes, so that nothing is resumed that was begun differently.
    """
    text = json.dumps(identity, sort_keys=True, default=lambda expression: expression.expr)
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    return dag.Join(on="/", values=[build.site.uri(kind, step), search_name, digest])


def metric_definitions() -> list[dict[str, str]]:
    """How the service reads the script's metrics from its log."""
    return [{"Name": name, "Regex": contract.METRIC_REGEX.format(name=name)} for name in contract.METRICS]


def model_archive(step: dag.Step) -> dag.Expression:
    """Where a finished training step left its model."""
    return step.properties.ModelArtifacts.S3ModelArtifacts


def _channels(config: Training, build: Build, data: dag.Step) -> list[dict[str, Any]]:
    addresses = {name: output_uri(data, name) for name in DATA_CHANNELS}
    if config.weights.startswith("s3://"):
        addresses[contract.WEIGHTS] = config.weights
    addresses[contract.CODE] = build.code.uri
    return [
        _channel(name, uri, config.input_mode if name in DATA_CHANNELS else "File") for name, uri in addresses.items()
    ]


def _channel(name: str, uri: dag.Expression, mode: str) -> dict[str, Any]:
    location = {"S3DataType": "S3Prefix", "S3Uri": uri, "S3DataDistributionType": "FullyReplicated"}
    return {"ChannelName": name, "DataSource": {"S3DataSource": location}, "InputMode": mode, "CompressionType": "None"}


def _stopping(config: Training, max_runtime_seconds: int, checkpoints: dag.Expression) -> dict[str, Any]:
    condition = {"MaxRuntimeInSeconds": max_runtime_seconds}
    if not config.spot:
        return {"StoppingCondition": condition, "EnableManagedSpotTraining": False}
    return {
        "StoppingCondition": {**condition, "MaxWaitTimeInSeconds": config.max_wait_seconds},
        "EnableManagedSpotTraining": True,
        "CheckpointConfig": {"S3Uri": checkpoints, "LocalPath": contract.CHECKPOINTS},
    }
