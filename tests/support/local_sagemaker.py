"""A local SageMaker for tests, whose jobs end when a test says so, and an executor that a test drives."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.services.s3.catalog import ObjectCatalog
from pedigree.localaws.services.sagemaker.control.service import ControlPlane
from pedigree.localaws.services.sagemaker.executions import operations, pipeline_operations
from pedigree.localaws.services.sagemaker.executions.core import state
from pedigree.localaws.services.sagemaker.executions.executor import Executor
from pedigree.localaws.services.sagemaker.executions.starting import ExecutionStarts
from pedigree.localaws.services.sagemaker.executions.steps.runner import Attempt
from pedigree.localaws.services.sagemaker.executions.steps.services import FunctionAnswer
from pedigree.localaws.services.sagemaker.executions.steps.types import runners
from pedigree.localaws.services.sagemaker.lineage import operations as lineage_operations
from pedigree.localaws.services.sagemaker.resources import (
    endpoint_config_operations,
    registry_operations,
    tag_operations,
)
from pedigree.localaws.services.sagemaker.resources.model_operations import ModelOperations
from tests.support import worlds
from tests.support.images import any_image

QUEUE = "https://sqs.us-east-1.amazonaws.com/000000000000/await"
MODEL: dict[str, Any] = {"ModelArtifacts": {"S3ModelArtifacts": "s3://bucket/model.tar.gz"}}
TOKEN = {"ClientRequestToken": "t" * 32}


class KilledError(BaseException):
    """The process ends here, and does nothing more."""


class AnyRole:
    """Every role can be assumed; there are no objects."""

    def environment(self, _role: str, _source: str) -> Mapping[str, str]:
        return {}

    def objects(self, _role: str, _source: str) -> ObjectCatalog:
        raise ServiceError("AccessDenied", "this SageMaker has no objects")


class LocalSageMaker:
    """A local SageMaker that lives in a folder."""

    def __init__(self, folder: Path) -> None:
        self.clock, self.objects = worlds.ManualClock(), worlds.MemoryObjects()
        self.folder = folder
        self.jobs: dict[str, dict[str, Any]] = {}
        self.begun: list[str] = []
        self.messages: list[dict[str, Any]] = []
        self.deleted: list[str] = []
        self.returns: dict[str, Any] = {}
        self.refusals: list[ServiceError] = []
        self.restart()

    def restart(self) -> None:
        """Forget all that is not on the disk."""
        self.world = worlds.world(self.folder, self.clock, self.objects)
        starts = ExecutionStarts(any_image(self.folder))
        created = (ModelOperations(AnyRole()), endpoint_config_operations, registry_operations, tag_operations)
        families = (pipeline_operations, starts, operations, lineage_operations, *created)
        self.service = ControlPlane(self.world, families)
        self.executor = Executor(self.world, runners(self))

    def start(self, *steps: Mapping[str, Any], parameters: Mapping[str, str] | None = None, **more: Any) -> str:
        """Start an execution of a pipeline of these steps."""
        declared = [
            {"Name": "Epochs", "Type": "Integer", "DefaultValue": 3},
            {"Name": "Kind", "Type": "String", "DefaultValue": "a", "EnumValues": ["a", "b"]},
        ]
        text = json.dumps({"Version": "2020-12-01", "Parameters": declared, "Steps": list(steps)})
        members = {"PipelineName": "dogs", "PipelineDefinition": text, "RoleArn": worlds.ROLE}
        try:
            self.service.answer("CreatePipeline", {**members, "ClientRequestToken": uuid.uuid4().hex})
        except ServiceError:
            self.service.answer("UpdatePipeline", members)
        written = [{"Name": name, "Value": value} for name, value in (parameters or {}).items()]
        token = uuid.uuid4().hex
        request = {"PipelineName": "dogs", "PipelineParameters": written, "ClientRequestToken": token, **more}
        return str(self.service.answer("StartPipelineExecution", request)["PipelineExecutionArn"])

    def go(self, arn: str) -> str:
        """Let an execution go as far as it can; its status then."""
        self.executor.advance(state.id_of(arn))
        return str(self.described(arn)["PipelineExecutionStatus"])

    def described(self, arn: str) -> dict[str, Any]:
        return self.service.answer("DescribePipelineExecution", {"PipelineExecutionArn": arn})

    def steps(self, arn: str) -> dict[str, dict[str, Any]]:
        request = {"PipelineExecutionArn": arn, "SortOrder": "Ascending", "MaxResults": 100}
        return {
            step["StepName"]: step
            for step in self.service.answer("ListPipelineExecutionSteps", request)["PipelineExecutionSteps"]
        }

    def statuses(self, arn: str) -> dict[str, str]:
        return {name: step["StepStatus"] for name, step in self.steps(arn).items()}

    def end(self, step: str, status: Any = "Completed", **members: Any) -> None:
        """Let the newest job of a step end."""
        name = [job for job in self.jobs if f"-{step}" in job][-1]
        self.jobs[name].update(TrainingJobStatus=status, ProcessingJobStatus=status, **members)

    def call(self, attempt: Attempt, operation: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """Call an operation for a step; jobs are those of the test."""
        if not operation.endswith("Job"):
            return self.service.answer(operation, dict(request))
        if self.refusals:
            raise self.refusals.pop(0)
        name = request.get("TrainingJobName") or request["ProcessingJobName"]
        if operation.startswith("Create"):
            if name in self.jobs:
                raise ServiceError("ResourceInUse", f"Job name must be unique: {name}")
            self.begun.append(attempt.step.name)
            self.jobs[name] = {**request, "TrainingJobStatus": "InProgress", "ProcessingJobStatus": "InProgress"}
            self.jobs[name].update(TrainingJobArn=f"arn:{name}", ProcessingJobArn=f"arn:{name}")
        if operation.startswith("Stop"):
            self.jobs[name].update(TrainingJobStatus="Stopped", ProcessingJobStatus="Stopped")
        return self.jobs[name]

    def delete(self, _attempt: Attempt, address: str) -> None:
        """Delete an object for a step."""
        if address.startswith("s3://locked/"):
            raise ServiceError("AccessDenied", "Access Denied")
        self.deleted.append(address)

    def send(self, _attempt: Attempt, _queue: str, body: str) -> None:
        """Send a message for a step."""
        self.messages.append(json.loads(body))

    def invoke(self, attempt: Attempt, arn: str, payload: str) -> Future[FunctionAnswer]:
        """Invoke a function for a step; it has answered when this returns."""
        self.begun.append(attempt.step.name)
        answer = self.returns.get(arn, {})
        if isinstance(answer, KilledError):
            raise answer
        future: Future[FunctionAnswer] = Future()
        if isinstance(answer, Exception):
            future.set_result(FunctionAnswer(json.dumps({"errorMessage": str(answer)}), "Unhandled"))
        else:
            future.set_result(FunctionAnswer(json.dumps({**answer, "given": payload})))
        return future


def training(name: str, **members: Any) -> dict[str, Any]:
    hyperparameters = {"epochs": {"Std:Join": {"On": "", "Values": [{"Get": "Parameters.Epochs"}]}}}
    return {"Name": name, "Type": "Training", "Arguments": {"HyperParameters": hyperparameters}, **members}


def after(name: str, source: str, **members: Any) -> dict[str, Any]:
    uri = {"Get": f"Steps.{source}.ModelArtifacts.S3ModelArtifacts"}
    return {"Name": name, "Type": "Training", "Arguments": {"HyperParameters": {"from": uri}}, **members}


def function(name: str, *outputs: str, **arguments: Any) -> dict[str, Any]:
    declared = [{"OutputName": output, "OutputType": "String"} for output in outputs]
    return {"Name": name, "Type": "Lambda", "FunctionArn": name, "Arguments": arguments, "OutputParameters": declared}


def waiting() -> dict[str, Any]:
    outputs = [{"OutputName": "outcome", "OutputType": "String"}]
    return {
        "Name": "Wait",
        "Type": "Callback",
        "SqsQueueUrl": QUEUE,
        "Arguments": {"a": "b"},
        "OutputParameters": outputs,
    }
