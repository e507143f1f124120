"""What the training steps share: hyperparameters, channels, machines, and the request around the script.

Tune, TrainBest and TrainDistributed run the same script on the same channels. CreateTrainingJob and the training
definition of CreateHyperParameterTuningJob name these members alike, so one function writes them for all three.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Protocol

from pydantic import AfterValidator, Field

from entrypoints import contract, hyperparameters
from pedigree.aws.machines import menu
from steps import dag
from steps.build import Build
from steps.config import (
    S3_FILE,
    Config,
    FrozenMapping,
    JobSeconds,
    TrainingInstance,
    Unique,
    VolumeGigabytes,
    like,
    one_of,
)
from steps.parameters import ExecutionParameter, default_of
from steps.processing_job import output_uri

DATA_CHANNELS = (contract.TRAINING, contract.VALIDATION, contract.DATASET)


_DEFAULTS = hyperparameters.Hyperparameters()


def _choice(hyperparameter: str) -> AfterValidator:
    """One of the words that the script accepts."""
    return one_of(hyperparameters.WORDS[hyperparameter])


def _within(hyperparameter: str) -> Any:
    """The bounds that the script has for a number."""
    _, least, most = hyperparameters.NUMBERS[hyperparameter]
    return Field(ge=least, le=most)


class MachineConfig(Protocol):
    """A Config that names the machines of its step."""

    @property
    def instance_type(self) -> str:
        """The default type."""

    @property
    def alternatives(self) -> tuple[str, ...]:
        """The types that an execution can choose instead."""

    @property
    def volume_gigabytes(self) -> int:
        """The size of each machine's disk."""


def _menu(training: TrainingConfig, _: object) -> tuple[str, ...]:
    return menu("Training", training.instance_type, training.alternatives)


class TrainingConfig(Config):
    """The machine that trains, the network, and how it is trained."""

    instance_type: Annotated[TrainingInstance, ExecutionParameter("TrainingInstanceType", choices=_menu)] = (
        "ml.g4dn.xlarge"
    )
    alternatives: Unique[TrainingInstance] = Field(default=(), max_length=50)
    """As in [processing]."""
    volume_gigabytes: VolumeGigabytes = 50
    max_runtime_seconds: JobSeconds = 28_800
    input_mode: Literal["File", "FastFile"] = "File"
    """Or FastFile, which streams."""
    spot: bool = False
    """Cheaper machines; an interrupted training resumes from its checkpoint."""
    max_wait_seconds: JobSeconds = 57_600
    """With spot only: training and waiting for machines."""
    warm_pool_seconds: Annotated[int, Field(ge=0, le=21_600)] = 0
    """Keeps TrainBest's machine for the next execution; not with spot."""
    architecture: Annotated[str, like("resnet50", r"[a-z][a-z0-9_]*"), Field(max_length=64)] = _DEFAULTS.architecture
    """Any classifier of torchvision."""
    weights: Annotated[
        str,
        like("none, IMAGENET1K_V2 or s3://bucket/weights.pth", rf"none|{S3_FILE}|[A-Z][A-Z0-9_]*"),
        Field(max_length=1024),
    ] = "IMAGENET1K_V2"
    """torchvision's name, an s3:// address, or none."""
    layers: Annotated[str, _choice("layers")] = _DEFAULTS.layers
    """What is trained: head or all."""
    epochs: Annotated[int, _within("epochs"), ExecutionParameter("Epochs")] = _DEFAULTS.epochs
    """At most; patience ends training earlier."""
    precision: Annotated[str, _choice("precision")] = _DEFAULTS.precision
    """auto, fp32, fp16 or bf16."""
    seed: Annotated[int, _within("seed")] = _DEFAULTS.seed
    hyperparameters: FrozenMapping[int | float | str] = Field(
        default={name: getattr(_DEFAULTS, name) for name in ("learning_rate", "batch_size", "head_width", "patience")},
        max_length=80,
    )
    """Hyperparameters that are not tuned."""


def fixed_hyperparameters(config: TrainingConfig, *, tuned: Mapping[str, Any]) -> dict[str, dag.Expression]:
    """Every hyperparameter that is not tuned, as text: the service accepts nothing else."""
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
        "epochs": dag.as_text(config.epochs),
        **code,
    }


def training_request(
    config: TrainingConfig,
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


def machines(build: Build, config: MachineConfig, count: int = 1) -> dict[str, Any]:
    """The ResourceConfig of a training request."""
    return {
        "InstanceType": config.instance_type,
        "InstanceCount": count,
        "VolumeSizeInGB": config.volume_gigabytes,
        **build.site.encryption.volume(default_of(config.instance_type)),
    }


def resumable_uri(build: Build, kind: str, step: str, search_name: dag.Expression, identity: Any) -> dag.Expression:
    """The S3 address for what outlives an execution, made of the search's best job and of how the step trains.

    The address is part of the step's cache key. It stays the same while the search is reused and the step trains the
    same way. It changes as soon as either changes, so that a training never resumes one with other values.
    """
    text = json.dumps(identity, sort_keys=True, default=lambda expression: expression.expr)
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    return dag.Join(on="/", values=[build.site.uri(kind, step), search_name, digest])


def metric_definitions() -> list[dict[str, str]]:
    """The patterns by which SageMaker reads the script's metrics from its log."""
    return [{"Name": name, "Regex": contract.METRIC_REGEX.format(name=name)} for name in contract.METRICS]


def model_archive(step: dag.Step) -> dag.Expression:
    """The S3 address of a finished training step's model."""
    return step.properties.ModelArtifacts.S3ModelArtifacts


def _channels(config: TrainingConfig, build: Build, data: dag.Step) -> list[dict[str, Any]]:
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


def _stopping(config: TrainingConfig, max_runtime_seconds: int, checkpoints: dag.Expression) -> dict[str, Any]:
    condition = {"MaxRuntimeInSeconds": max_runtime_seconds}
    if not config.spot:
        return {"StoppingCondition": condition, "EnableManagedSpotTraining": False}
    return {
        "StoppingCondition": {**condition, "MaxWaitTimeInSeconds": config.max_wait_seconds},
        "EnableManagedSpotTraining": True,
        "CheckpointConfig": {"S3Uri": checkpoints, "LocalPath": contract.CHECKPOINTS},
    }
