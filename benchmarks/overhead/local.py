"""The local AWS as a process of its own, and the times of its executions, from inside and from outside."""

from __future__ import annotations

import io
import json
import tarfile
import time
import uuid
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import boto3

from pedigree.localaws import process
from pedigree.localaws.daemon import ACCOUNT
from tests.support.images import images_file

_CODE = "def handler(event, context):\n    return {}\n"
_ROLE = "benchmark"
_PRINCIPALS = ["sagemaker.amazonaws.com", "lambda.amazonaws.com"]
_OVER = ("Succeeded", "Failed", "Stopped")
_LOOK_SECONDS = 0.02
_BUCKET = "benchmark"
_CLUSTER = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
_USUAL = process.UpOptions()


@dataclass(frozen=True)
class TimedExecution:
    """The times of an execution: from the call that started it, by its own timestamps, and of its steps."""

    wall: float
    own: float
    steps: int


class LocalAws:
    """A local AWS with a role and a function that does nothing."""

    def __init__(self, daemon: process.Daemon) -> None:
        self._daemon = daemon
        self._sagemaker = self._client("sagemaker")
        self._s3 = self._client("s3")
        self._s3.create_bucket(Bucket=_BUCKET)
        self.role = self._create_role()
        self.function = self._create_function()

    def run(self, definition: str, seconds: float) -> TimedExecution:
        """Runs a pipeline; raises TimeoutError after so many seconds, RuntimeError if it fails."""
        name = f"p-{uuid.uuid4().hex}"
        self._sagemaker.create_pipeline(PipelineName=name, PipelineDefinition=definition, RoleArn=self.role)
        began = time.perf_counter()
        arn = self._sagemaker.start_pipeline_execution(PipelineName=name)["PipelineExecutionArn"]
        ended = self._end(arn, began + seconds)
        wall = time.perf_counter() - began
        if ended["PipelineExecutionStatus"] != "Succeeded":
            raise RuntimeError(f"the execution is {ended['PipelineExecutionStatus']}: {ended.get('FailureReason')}")
        own = ended["LastModifiedTime"] - ended["CreationTime"]
        return TimedExecution(wall, own.total_seconds(), len(self._steps(arn)))

    def process(self, command: Sequence[str]) -> float:
        """Run a processing job; returns the seconds from the call to the end that the job itself has noted."""
        name = f"j-{uuid.uuid4().hex}"
        began = time.time()
        self._sagemaker.create_processing_job(
            ProcessingJobName=name,
            RoleArn=self.role,
            AppSpecification={"ImageUri": "image", "ContainerEntrypoint": list(command)},
            ProcessingResources={"ClusterConfig": _CLUSTER},
        )
        return self._seconds(
            began, "Processing", lambda: self._sagemaker.describe_processing_job(ProcessingJobName=name)
        )

    def train(self, script: str) -> float:
        """Run a training job whose script the image's toolkit starts; returns its seconds, as of a processing job."""
        name = f"t-{uuid.uuid4().hex}"
        program = {"sagemaker_program": "script.py", "sagemaker_submit_directory": self._upload(name, script)}
        began = time.time()
        self._sagemaker.create_training_job(
            TrainingJobName=name,
            RoleArn=self.role,
            AlgorithmSpecification={"TrainingImage": "image", "TrainingInputMode": "File"},
            HyperParameters={key: json.dumps(value) for key, value in program.items()},
            OutputDataConfig={"S3OutputPath": f"s3://{_BUCKET}/out"},
            ResourceConfig=_CLUSTER,
            StoppingCondition={"MaxRuntimeInSeconds": 3600},
        )
        return self._seconds(began, "Training", lambda: self._sagemaker.describe_training_job(TrainingJobName=name))

    def _seconds(self, began: float, noun: str, describe: Callable[[], Any]) -> float:
        while (job := describe())[f"{noun}JobStatus"] == "InProgress":
            time.sleep(_LOOK_SECONDS)
        if job[f"{noun}JobStatus"] != "Completed":
            raise RuntimeError(f"the job is {job[f'{noun}JobStatus']}: {job.get('FailureReason')}")
        return float(job[f"{noun}EndTime"].timestamp()) - began

    def _upload(self, name: str, script: str) -> str:
        content = io.BytesIO()
        with tarfile.open(fileobj=content, mode="w:gz") as archive:
            member = tarfile.TarInfo("script.py")
            member.size = len(script.encode())
            archive.addfile(member, io.BytesIO(script.encode()))
        self._s3.put_object(Bucket=_BUCKET, Key=f"{name}.tar.gz", Body=content.getvalue())
        return f"s3://{_BUCKET}/{name}.tar.gz"

    def _end(self, arn: str, until: float) -> Any:
        while time.perf_counter() < until:
            response = self._sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
            if response["PipelineExecutionStatus"] in _OVER:
                return response
            time.sleep(_LOOK_SECONDS)
        raise TimeoutError(arn)

    def _steps(self, arn: str) -> list[Any]:
        pages = self._sagemaker.get_paginator("list_pipeline_execution_steps")
        response = pages.paginate(PipelineExecutionArn=arn, PaginationConfig={"PageSize": 100})
        steps = [step for page in response for step in page["PipelineExecutionSteps"]]
        if any(step["StepStatus"] != "Succeeded" for step in steps):
            raise RuntimeError(f"{arn} has steps that did not succeed")
        return steps

    def _create_role(self) -> str:
        trust = {"Effect": "Allow", "Principal": {"Service": _PRINCIPALS}, "Action": "sts:AssumeRole"}
        allowed = {"Effect": "Allow", "Action": "*", "Resource": "*"}
        iam = self._client("iam")
        iam.create_role(RoleName=_ROLE, AssumeRolePolicyDocument=_policy(trust))
        iam.put_role_policy(RoleName=_ROLE, PolicyName="all", PolicyDocument=_policy(allowed))
        return f"arn:aws:iam::{ACCOUNT}:role/{_ROLE}"

    def _create_function(self) -> str:
        code = io.BytesIO()
        with zipfile.ZipFile(code, "w") as archive:
            archive.writestr("nothing.py", _CODE)
        response = self._client("lambda").create_function(
            FunctionName="nothing",
            Runtime="python3.13",
            Role=self.role,
            Handler="nothing.handler",
            Code={"ZipFile": code.getvalue()},
        )
        return str(response["FunctionArn"])

    def _client(self, service: str) -> Any:
        key = {"aws_access_key_id": self._daemon.key.id, "aws_secret_access_key": self._daemon.key.secret}
        return boto3.client(service, region_name="us-east-1", endpoint_url=self._daemon.url, **key)


@contextmanager
def started(folder: Path, options: process.UpOptions = _USUAL) -> Iterator[LocalAws]:
    """Starts a local AWS in a folder, and stops it afterwards."""
    folder.mkdir(parents=True, exist_ok=True)
    images = images_file(folder, options.container)
    daemon = process.up(folder, replace(options, container=None, images=images))
    try:
        yield LocalAws(daemon)
    finally:
        process.down(folder)


def _policy(statement: object) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
