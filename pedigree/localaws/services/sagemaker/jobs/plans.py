"""What a job is, taken from its request: hosts, command, environment, files, what goes in and what comes out.

Paths are the container's own (/opt/ml/…); a sandbox maps them to where they lie on this machine.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.services.s3.catalog import S3Location

ROOT = "/opt/ml"
MODEL = f"{ROOT}/model"
CONFIG = f"{ROOT}/config"
TRAINING_CONFIG = f"{ROOT}/input/config"
_GROUP = "homogeneousCluster"
_SECONDS = 86_400
_MOST_HOSTS = 100


@dataclass(frozen=True)
class Input:
    """Objects that a host finds in a folder; sharded, each host finds its share."""

    place: S3Location
    folder: str
    is_sharded: bool = False
    is_manifest: bool = False

    @classmethod
    def of(cls, source: Mapping[str, Any], folder: str) -> Input:
        """What a request says of objects in S3."""
        is_sharded = source.get("S3DataDistributionType") == "ShardedByS3Key"
        return cls(S3Location.parse(source["S3Uri"]), folder, is_sharded, source.get("S3DataType") == "ManifestFile")


@dataclass(frozen=True)
class Output:
    """A folder whose files become objects when the job has ended; where an archive is asked for, they become one."""

    folder: str
    place: S3Location
    is_archive: bool = False
    also_after_failure: bool = False


@dataclass(frozen=True)
class Metric:
    """A number that the log tells, by the regular expression that finds it."""

    name: str
    regex: str


@dataclass(frozen=True)
class JobPlan:
    """Everything that running a job takes."""

    kind: str
    name: str
    role: str
    hosts: tuple[str, ...]
    command: tuple[str, ...]
    log_group: str
    environment: Mapping[str, str] = field(default_factory=dict)
    inputs: tuple[Input, ...] = ()
    outputs: tuple[Output, ...] = ()
    files: Mapping[str, Any] = field(default_factory=dict)
    metrics: tuple[Metric, ...] = ()
    seconds: float = _SECONDS
    checkpoints: Output | None = None

    def host_files(self, host: str) -> Mapping[str, Any]:
        """The files that tell a host about itself and the others."""
        folder = TRAINING_CONFIG if self.kind == "training" else CONFIG
        group = {"instance_group_name": _GROUP, "instance_type": "local", "hosts": list(self.hosts)}
        cluster = {
            "current_host": host,
            "hosts": list(self.hosts),
            "network_interface_name": "lo",
            "current_instance_type": "local",
            "current_group_name": _GROUP,
            "instance_groups": [group],
        }
        return {**self.files, f"{folder}/resourceconfig.json": cluster}


def processing(job: Mapping[str, Any]) -> JobPlan:
    """A processing job: any command, with folders to read and folders to write."""
    application, outputs = job["AppSpecification"], job.get("ProcessingOutputConfig", {}).get("Outputs", [])
    command = (*application.get("ContainerEntrypoint", ()), *application.get("ContainerArguments", ()))
    return JobPlan(
        kind="processing",
        name=job["ProcessingJobName"],
        role=job["RoleArn"],
        hosts=_hosts(job["ProcessingResources"]["ClusterConfig"]["InstanceCount"]),
        command=command,
        log_group="/aws/sagemaker/ProcessingJobs",
        environment=job.get("Environment", {}),
        inputs=tuple(_processing_inputs(job.get("ProcessingInputs", []))),
        outputs=tuple(
            Output(one["S3Output"]["LocalPath"], S3Location.parse(one["S3Output"]["S3Uri"]))
            for one in outputs
            if one["S3Output"].get("LocalPath") and not one.get("AppManaged")
        ),
        files={f"{CONFIG}/processingjobconfig.json": job},
        seconds=job.get("StoppingCondition", {}).get("MaxRuntimeInSeconds", _SECONDS),
    )


def _processing_inputs(inputs: Sequence[Mapping[str, Any]]) -> Iterator[Input]:
    for one in inputs:
        given = one.get("S3Input")
        if given and given.get("LocalPath") and not one.get("AppManaged"):
            yield Input.of(given, given["LocalPath"])


def training(job: Mapping[str, Any], toolkit: Sequence[str]) -> JobPlan:
    """A training job: the image's toolkit runs the script that hyperparameters name, or a command of its own."""
    algorithm = job["AlgorithmSpecification"]
    command = (*algorithm.get("ContainerEntrypoint", ()), *algorithm.get("ContainerArguments", ())) or tuple(toolkit)
    if not command:
        raise ValueError("there is no environment that stands for the container; make up makes one and starts anew")
    name, checkpoints = job["TrainingJobName"], job.get("CheckpointConfig")
    return JobPlan(
        kind="training",
        name=name,
        role=job["RoleArn"],
        hosts=_hosts(job["ResourceConfig"].get("InstanceCount", 1)),
        command=command,
        log_group="/aws/sagemaker/TrainingJobs",
        environment={
            **job.get("Environment", {}),
            "TRAINING_JOB_NAME": name,
            "TRAINING_JOB_ARN": job["TrainingJobArn"],
        },
        inputs=tuple(_channels(job.get("InputDataConfig", []))),
        outputs=_training_outputs(job),
        files=_training_files(job),
        metrics=tuple(Metric(one["Name"], one["Regex"]) for one in algorithm.get("MetricDefinitions", [])),
        seconds=job.get("StoppingCondition", {}).get("MaxRuntimeInSeconds", _SECONDS),
        checkpoints=Output(checkpoints.get("LocalPath", f"{ROOT}/checkpoints"), S3Location.parse(checkpoints["S3Uri"]))
        if checkpoints
        else None,
    )


def _training_outputs(job: Mapping[str, Any]) -> tuple[Output, Output]:
    """The model, and what else there is: an archive of each, or the files as they are."""
    asked = job["OutputDataConfig"]
    output = S3Location.parse(asked["S3OutputPath"])
    place = f"{output.key.rstrip('/')}/{job['TrainingJobName']}/output".lstrip("/")
    is_packed = asked.get("CompressionType") != "NONE"
    model, data = ("model.tar.gz", "output.tar.gz") if is_packed else ("model/", "data/")
    return (
        Output(MODEL, S3Location(output.bucket, f"{place}/{model}"), is_packed),
        Output(f"{ROOT}/output/data", S3Location(output.bucket, f"{place}/{data}"), is_packed, also_after_failure=True),
    )


def _channels(channels: Sequence[Mapping[str, Any]]) -> Iterator[Input]:
    for one in channels:
        source = one["DataSource"].get("S3DataSource")
        if source:
            yield Input.of(source, f"{ROOT}/input/data/{one['ChannelName']}")


def _training_files(job: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the toolkit reads: hyperparameters as they were asked for, but for a launcher that this machine lacks."""
    usual = job["AlgorithmSpecification"].get("TrainingInputMode", "File")
    channels = {one["ChannelName"]: _channel_file(one, usual) for one in job.get("InputDataConfig", [])}
    files = {
        f"{TRAINING_CONFIG}/hyperparameters.json": _launchable(job.get("HyperParameters", {})),
        f"{TRAINING_CONFIG}/inputdataconfig.json": channels,
    }
    hook = job.get("DebugHookConfig")
    return {**files, f"{TRAINING_CONFIG}/debughookconfig.json": hook} if hook else files


def _channel_file(channel: Mapping[str, Any], mode: str) -> Mapping[str, str]:
    source = channel["DataSource"].get("S3DataSource", {})
    return {
        "TrainingInputMode": channel.get("InputMode", mode),
        "S3DistributionType": source.get("S3DataDistributionType", "FullyReplicated"),
        "RecordWrapperType": channel.get("RecordWrapperType", "None"),
    }


def _launchable(hyperparameters: Mapping[str, str]) -> Mapping[str, str]:
    """smdistributed is for GPUs alone: here its processes are started as torch's own launcher starts them."""
    smddp, torchrun = "sagemaker_distributed_dataparallel_enabled", "sagemaker_torch_distributed_enabled"
    if hyperparameters.get(smddp, "").strip() != "true":
        return hyperparameters
    return {**{key: value for key, value in hyperparameters.items() if key != smddp}, torchrun: "true"}


def _hosts(count: int) -> tuple[str, ...]:
    """Addresses of this machine alone, one for each instance: names would have to be resolved."""
    if not 1 <= count <= _MOST_HOSTS:
        words = f"The local AWS runs a job on 1 to {_MOST_HOSTS} instances, and the request is for {count}."
        raise ServiceError("ResourceLimitExceeded", words)
    return tuple(f"127.0.0.{number}" for number in range(1, count + 1))
