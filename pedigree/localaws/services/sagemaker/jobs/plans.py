"""Reads a job from its request: hosts, command, environment, files, inputs and outputs.

Paths are those of the container (/opt/ml/…); a sandbox knows where they are on this machine.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Any

from pedigree.aws.machines import has_local_storage
from pedigree.localaws.engine.engines import Engine
from pedigree.localaws.http.protocol.errors import InvalidRequestError, ServiceError
from pedigree.localaws.images.dockerfile import CopiedFile
from pedigree.localaws.services.s3.catalog import S3Location
from pedigree.localaws.services.sagemaker.resources.images import (
    SUBMITTED,
    Images,
    has_own_modules,
    image_of,
    metric_definitions,
    processing_command,
    training_command,
    unpacks_source,
)

ROOT = "/opt/ml"
MODEL = f"{ROOT}/model"
CONFIG = f"{ROOT}/config"
TRAINING_CONFIG = f"{ROOT}/input/config"
SOURCE = f"{ROOT}/input/source"
_HYPERPARAMETERS = f"{TRAINING_CONFIG}/hyperparameters.json"
_PROCESSING = f"{ROOT}/processing/"
_GROUP = "homogeneousCluster"
_SECONDS = 86_400
_MOST_HOSTS = 100


@dataclass(frozen=True)
class Input:
    """Objects in a folder of each host; if they are sharded, each host has its share of them."""

    place: S3Location
    folder: str
    is_sharded: bool = False
    is_manifest: bool = False
    is_fast_file: bool = False

    @classmethod
    def of(cls, source: Mapping[str, Any], folder: str, mode: str = "File") -> Input:
        """Read an input from an S3DataSource or S3Input."""
        is_sharded = source.get("S3DataDistributionType") == "ShardedByS3Key"
        place, is_manifest = S3Location.parse(source["S3Uri"]), source.get("S3DataType") == "ManifestFile"
        return cls(place, folder, is_sharded, is_manifest, mode == "FastFile")


@dataclass(frozen=True)
class Output:
    """A folder whose files are uploaded when the job has ended, one by one or as an archive."""

    folder: str
    place: S3Location
    is_archive: bool = False
    also_after_failure: bool = False


@dataclass(frozen=True)
class Metric:
    """A metric, and the regular expression that finds it in the log."""

    name: str
    regex: str


@dataclass(frozen=True)
class JobPlan:
    """All that a job needs to run."""

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
    is_isolated: bool = False
    image: str = ""
    volume_gigabytes: int = 0
    """The size of the volume for inputs and outputs; 0 for a machine with disks of its own."""
    working_folder: str = f"{ROOT}/code"
    image_files: tuple[CopiedFile, ...] = ()
    image_folders: tuple[str, ...] = ()
    has_image_modules: bool = False
    """Whether its scripts may import the modules that only AWS's image has."""
    engine: Engine | None = None
    """What runs the image itself, in place of what stands for it."""
    has_own_entrypoint: bool = False

    @property
    def addresses(self) -> Mapping[str, str]:
        """A loopback address for each host, by its name."""
        return {host: f"127.0.0.{number}" for number, host in enumerate(self.hosts, start=1)}

    @property
    def submitted(self) -> str:
        """Where the archive with the job's script is; empty if it has none."""
        return str(self.files.get(_HYPERPARAMETERS, {}).get(SUBMITTED, "")).strip('"')

    def without_containers(self) -> JobPlan:
        """The plan for hosts without containers.

        Nothing there resolves their names; and the toolkit takes scripts from a file, in which paths are rewritten.
        """
        given, address = self.files.get(_HYPERPARAMETERS, {}), self.submitted
        own = replace(self, hosts=tuple(self.addresses.values()))
        if not address.startswith("s3://") or not address.endswith(".tar.gz"):
            return own
        file = f"{SOURCE}/{address.rpartition('/')[2]}"
        files = {**self.files, _HYPERPARAMETERS: {**given, SUBMITTED: file}}
        return replace(
            own, files=files, inputs=tuple(dict.fromkeys((*self.inputs, Input(S3Location.parse(address), SOURCE))))
        )

    def host_files(self, host: str) -> Mapping[str, Any]:
        """The files that describe a host and its cluster to the job."""
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


def processing(job: Mapping[str, Any], images: Images) -> JobPlan:
    """Read a processing job: a command with folders to read and folders to write."""
    outputs, inputs = job.get("ProcessingOutputConfig", {}).get("Outputs", []), job.get("ProcessingInputs", [])
    return JobPlan(
        kind="processing",
        name=job["ProcessingJobName"],
        role=job["RoleArn"],
        hosts=_hosts(job["ProcessingResources"]["ClusterConfig"]["InstanceCount"]),
        log_group="/aws/sagemaker/ProcessingJobs",
        environment=job.get("Environment", {}),
        inputs=tuple(_processing_inputs(inputs)),
        outputs=tuple(
            Output(_inside(output["S3Output"]["LocalPath"]), S3Location.parse(output["S3Output"]["S3Uri"]))
            for output in outputs
            if output["S3Output"].get("LocalPath") and not output.get("AppManaged")
        ),
        files={f"{CONFIG}/processingjobconfig.json": job},
        seconds=job.get("StoppingCondition", {}).get("MaxRuntimeInSeconds", _SECONDS),
        is_isolated=job.get("NetworkConfig", {}).get("EnableNetworkIsolation", False),
        volume_gigabytes=_volume(job["ProcessingResources"]["ClusterConfig"]),
        command=processing_command(job, images),
        **_of_image(job, images),
    )


def _processing_inputs(inputs: Sequence[Mapping[str, Any]]) -> Iterator[Input]:
    taken: set[PurePosixPath] = set()
    for document in inputs:
        source = document.get("S3Input")
        if source and source.get("LocalPath") and not document.get("AppManaged"):
            path = _inside(source["LocalPath"])
            if not f"{path}/".startswith(_PROCESSING):
                raise InvalidRequestError(f"LocalPath is {path!r}, and that of an input begins with {_PROCESSING}")
            if PurePosixPath(path) in taken:
                raise InvalidRequestError(f"Two inputs have the LocalPath {path!r}; each needs one of its own")
            taken.add(PurePosixPath(path))
            yield Input.of(source, path)


def training(job: Mapping[str, Any], images: Images) -> JobPlan:
    """Read a training job: its own command, or the image's program with the script that its hyperparameters name."""
    name, checkpoints = job["TrainingJobName"], job.get("CheckpointConfig")
    return JobPlan(
        kind="training",
        name=name,
        role=job["RoleArn"],
        hosts=_hosts(job["ResourceConfig"].get("InstanceCount", 1)),
        log_group="/aws/sagemaker/TrainingJobs",
        environment={
            **job.get("Environment", {}),
            "TRAINING_JOB_NAME": name,
            "TRAINING_JOB_ARN": job["TrainingJobArn"],
        },
        inputs=(*_channels(job.get("InputDataConfig", []), _usual_mode(job)), *_source(job, images)),
        outputs=_training_outputs(job),
        files=_training_files(job),
        metrics=tuple(Metric(*definition) for definition in metric_definitions(job)),
        seconds=job.get("StoppingCondition", {}).get("MaxRuntimeInSeconds", _SECONDS),
        checkpoints=_checkpoints(checkpoints) if checkpoints else None,
        is_isolated=job.get("EnableNetworkIsolation", False),
        command=training_command(job, images),
        volume_gigabytes=_volume(job["ResourceConfig"]),
        **_of_image(job, images),
    )


def _of_image(job: Mapping[str, Any], images: Images) -> Mapping[str, Any]:
    """The members that say which image a job has, and what a Dockerfile has put into it."""
    image = image_of(job)
    if engine := images.engine(image):
        application = job.get("AlgorithmSpecification") or job.get("AppSpecification") or {}
        return {"image": image, "engine": engine, "has_own_entrypoint": bool(application.get("ContainerEntrypoint"))}
    recipe = images.find(image).recipe
    folder = {"working_folder": recipe.working_folder} if recipe.working_folder else {}
    copied = {"image_files": recipe.files, "image_folders": recipe.folders, **folder}
    return {"image": image, "has_image_modules": has_own_modules(job, images), **copied}


def _source(job: Mapping[str, Any], images: Images) -> Iterator[Input]:
    """The archive with a job's script, where the program that starts it does not fetch it itself."""
    address = str(job.get("HyperParameters", {}).get(SUBMITTED, "")).strip('"')
    if address.startswith("s3://") and unpacks_source(job, images):
        yield Input(S3Location.parse(address), SOURCE)


def _volume(machines: Mapping[str, Any]) -> int:
    has_own = has_local_storage(str(machines.get("InstanceType", "")))
    return 0 if has_own else int(machines.get("VolumeSizeInGB") or 0)


def _checkpoints(config: Mapping[str, Any]) -> Output:
    folder = _inside(config.get("LocalPath", f"{ROOT}/checkpoints"))
    return Output(folder, S3Location.parse(config["S3Uri"]))


def _inside(path: str) -> str:
    """A path below /opt/ml: a job of this machine has no other folders of its own."""
    parts = PurePosixPath(path).parts
    if parts[:3] != PurePosixPath(ROOT).parts or ".." in parts or not path.startswith(f"{ROOT}/"):
        raise InvalidRequestError(f"LocalPath is {path!r}, and the local AWS has paths below {ROOT} only")
    return path


def _training_outputs(job: Mapping[str, Any]) -> tuple[Output, Output]:
    """The model and the other output data, each as an archive or as single files."""
    config = job["OutputDataConfig"]
    output = S3Location.parse(config["S3OutputPath"])
    place = f"{output.key.rstrip('/')}/{job['TrainingJobName']}/output".lstrip("/")
    is_packed = config.get("CompressionType") != "NONE"
    model, data = ("model.tar.gz", "output.tar.gz") if is_packed else ("model/", "data/")
    return (
        Output(MODEL, S3Location(output.bucket, f"{place}/{model}"), is_packed),
        Output(f"{ROOT}/output/data", S3Location(output.bucket, f"{place}/{data}"), is_packed, also_after_failure=True),
    )


def _channels(channels: Sequence[Mapping[str, Any]], usual: str) -> Iterator[Input]:
    for channel in channels:
        source = channel["DataSource"].get("S3DataSource")
        if source:
            folder = _inside(f"{ROOT}/input/data/{channel['ChannelName']}")
            yield Input.of(source, folder, channel.get("InputMode", usual))


def _training_files(job: Mapping[str, Any]) -> Mapping[str, Any]:
    """The files that the toolkit reads; a launcher that this machine lacks is replaced in the hyperparameters."""
    channels = {
        channel["ChannelName"]: _channel_file(channel, _usual_mode(job)) for channel in job.get("InputDataConfig", [])
    }
    files = {
        _HYPERPARAMETERS: _launchable(job.get("HyperParameters", {})),
        f"{TRAINING_CONFIG}/inputdataconfig.json": channels,
    }
    hook = job.get("DebugHookConfig")
    return {**files, f"{TRAINING_CONFIG}/debughookconfig.json": hook} if hook else files


def _usual_mode(job: Mapping[str, Any]) -> str:
    """The input mode of channels that have none of their own."""
    return str(job["AlgorithmSpecification"].get("TrainingInputMode", "File"))


def _channel_file(channel: Mapping[str, Any], mode: str) -> Mapping[str, str]:
    source = channel["DataSource"].get("S3DataSource", {})
    content = {"ContentType": channel["ContentType"]} if "ContentType" in channel else {}
    return {
        **content,
        "TrainingInputMode": channel.get("InputMode", mode),
        "S3DistributionType": source.get("S3DataDistributionType", "FullyReplicated"),
        "RecordWrapperType": channel.get("RecordWrapperType", "None"),
    }


def _launchable(hyperparameters: Mapping[str, str]) -> Mapping[str, str]:
    """Replace smdistributed, which needs GPUs, by torch's own launcher."""
    smddp, torchrun = "sagemaker_distributed_dataparallel_enabled", "sagemaker_torch_distributed_enabled"
    if hyperparameters.get(smddp, "").strip() != "true":
        return hyperparameters
    return {**{key: value for key, value in hyperparameters.items() if key != smddp}, torchrun: "true"}


def _hosts(count: int) -> tuple[str, ...]:
    """The names of a job's hosts, as on AWS."""
    if not 1 <= count <= _MOST_HOSTS:
        words = f"The local AWS runs a job on 1 to {_MOST_HOSTS} instances, and the request is for {count}."
        raise ServiceError("ResourceLimitExceeded", words)
    return tuple(f"algo-{number}" for number in range(1, count + 1))
