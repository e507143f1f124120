"""Runs jobs of a real daemon as its clients do: by calls, and what is known of a job is what calls tell."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pedigree.localaws.process import Daemon
from tests.support.job_runner import channel
from tests.support.local_aws import client, daemon_of
from tests.support.ordinary_user import IS_ROOT, ProgramUser, ordinary_user, this_user
from tests.support.waiting import until

ROLE = "arn:aws:iam::123456789012:role/job"
PATIENCE_SECONDS = 180.0
_ANYBODY = 0o755
_CODE = "/opt/ml/input/data/code/script"
USERS = {"root": this_user, "ordinary user": ordinary_user} if IS_ROOT else {"ordinary user": this_user}
_OVER = ("Completed", "Failed", "Stopped")


class ClientJobs:
    """The jobs of a daemon; python is the interpreter of their environment."""

    def __init__(self, daemon: Daemon, python: str) -> None:
        self._s3, self._sagemaker, self._logs = (
            client(daemon.url, service, daemon.key) for service in ("s3", "sagemaker", "logs")
        )
        self._python = python
        self._s3.create_bucket(Bucket="bucket")

    def put(self, key: str, content: bytes) -> None:
        self._s3.put_object(Bucket="bucket", Key=key, Body=content)

    def get(self, key: str) -> bytes:
        content: bytes = self._s3.get_object(Bucket="bucket", Key=key)["Body"].read()
        return content

    def train(self, name: str, script: str, *, hosts: int = 1, **members: Any) -> None:
        """Begin a training job whose program is a Python script."""
        self.put(f"{name}/code/script", script.encode())
        algorithm = {
            "TrainingImage": "image",
            "TrainingInputMode": "File",
            "ContainerEntrypoint": [self._python, "-u", _CODE],
        }
        self.create(
            name,
            AlgorithmSpecification=algorithm,
            InputDataConfig=[channel("code", S3Uri=f"s3://bucket/{name}/code/")],
            ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": hosts, "VolumeSizeInGB": 1},
            **members,
        )

    def create(self, name: str, **members: Any) -> None:
        """Begin a training job."""
        usual = {
            "RoleArn": ROLE,
            "OutputDataConfig": {"S3OutputPath": "s3://bucket/out"},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
            "StoppingCondition": {"MaxRuntimeInSeconds": int(PATIENCE_SECONDS)},
        }
        self._sagemaker.create_training_job(TrainingJobName=name, **{**usual, **members})

    def process(self, name: str, script: str, source: str, output: str) -> None:
        """Begin a processing job that reads one folder of objects and writes another."""
        folder = "/opt/ml/processing"
        file = {"S3DataType": "S3Prefix", "S3InputMode": "File"}
        self.put(f"{name}/code/script", script.encode())
        inputs = (("code", f"s3://bucket/{name}/code/", "code"), ("in", f"s3://bucket/{source}", "in"))
        target = {"S3Uri": f"s3://bucket/{output}", "LocalPath": f"{folder}/out", "S3UploadMode": "EndOfJob"}
        self._sagemaker.create_processing_job(
            ProcessingJobName=name,
            RoleArn=ROLE,
            AppSpecification={
                "ImageUri": "image",
                "ContainerEntrypoint": [self._python, "-u", f"{folder}/code/script"],
            },
            ProcessingResources={
                "ClusterConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
            },
            ProcessingInputs=[
                {"InputName": input_name, "S3Input": {"S3Uri": place, "LocalPath": f"{folder}/{inside}", **file}}
                for input_name, place, inside in inputs
            ],
            ProcessingOutputConfig={"Outputs": [{"OutputName": "out", "S3Output": target}]},
        )

    def status(self, name: str, noun: str = "Training") -> str:
        """How a job has ended, once it has."""
        describe = getattr(self._sagemaker, f"describe_{noun.lower()}_job")
        names = {f"{noun}JobName": name}

        def ended() -> str:
            status: str = describe(**names)[f"{noun}JobStatus"]
            return status if status in _OVER else ""

        return until(ended, seconds=PATIENCE_SECONDS, what=f"the job {name}")

    def completed(self, name: str, noun: str = "Training") -> list[str]:
        """What a job has printed, which must end well."""
        status, lines = self.status(name, noun), self.lines(name, noun)
        assert status == "Completed", lines
        return lines

    def lines(self, name: str, noun: str = "Training") -> list[str]:
        """What a job has printed, host by host."""
        group = f"/aws/sagemaker/{noun}Jobs"
        try:
            streams = self._logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{name}/")["logStreams"]
        except self._logs.exceptions.ResourceNotFoundException:  # no job has printed anything yet
            return []
        return [
            event["message"]
            for stream in streams
            for event in self._logs.get_log_events(
                logGroupName=group, logStreamName=stream["logStreamName"], startFromHead=True
            )["events"]
        ]


@dataclass(frozen=True)
class RunningDaemon:
    """A daemon that a user has started, and its folder."""

    user: ProgramUser
    folder: Path
    jobs: ClientJobs


@contextmanager
def running_daemon(make_user: Callable[[Path], ProgramUser], container: Path | None = None) -> Iterator[RunningDaemon]:
    """A daemon of a user, whose jobs run in an environment of that user."""
    folder = Path(tempfile.mkdtemp(prefix="pedigree-"))  # pytest's folders are for the user of the tests alone
    folder.chmod(_ANYBODY)
    try:
        user, state = make_user(folder), folder / "state"
        environment = user.environment_of(container) if container else None
        options = ("--container", str(environment)) if environment else ()
        with daemon_of(user, state, *options) as daemon:
            python = str(environment / "bin" / "python") if environment else user.python
            yield RunningDaemon(user, state, ClientJobs(daemon, python))
    finally:
        shutil.rmtree(folder)
