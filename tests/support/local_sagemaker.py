"""A local SageMaker for tests, whose jobs end when a test says so, and an executor that a test drives."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from concurrent.futures import Executor as Pool
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.services.sagemaker.executions import operations, pipelines, state
from pedigree.localaws.services.sagemaker.executions.executor import Executor
from pedigree.localaws.services.sagemaker.executions.steps.callbacks import CallbackRunner
from pedigree.localaws.services.sagemaker.executions.steps.decisions import ConditionRunner, FailRunner
from pedigree.localaws.services.sagemaker.executions.steps.functions import FunctionRunner, Invoked
from pedigree.localaws.services.sagemaker.executions.steps.requests import RequestRunner
from pedigree.localaws.services.sagemaker.executions.steps.runner import Run
from pedigree.localaws.services.sagemaker.resources import models, registry, tags
from pedigree.localaws.services.sagemaker.resources.service import Service, joined
from tests.support import worlds


class KilledError(BaseException):
    """The process ends here, and does nothing more."""


class Sage:
    """A local SageMaker that lives in a folder."""

    def __init__(self, folder: Path) -> None:
        self.clock, self.objects = worlds.SetClock(), worlds.KeptObjects()
        self.folder = folder
        self.jobs: dict[str, dict[str, Any]] = {}
        self.begun: list[str] = []
        self.messages: list[dict[str, Any]] = []
        self.returns: dict[str, Any] = {}
        self.refusals: list[ServiceError] = []
        self.restart()

    def restart(self) -> None:
        """Forget all that is not on the disk."""
        self.world = worlds.world(self.folder, self.clock, self.objects)
        tables = (pipelines.HANDLERS, operations.HANDLERS, models.HANDLERS, registry.HANDLERS, tags.HANDLERS)
        self.service = Service(self.world, joined(tables))
        request = RequestRunner(self._call)
        self.executor = Executor(
            self.world,
            {
                **dict.fromkeys(("Training", "Processing", "Model", "RegisterModel"), request),
                "Condition": ConditionRunner(),
                "Fail": FailRunner(),
                "Callback": CallbackRunner(lambda run, queue, body: self.messages.append(json.loads(body))),
                "Lambda": FunctionRunner(self._invoke, AtOnce()),
            },
        )

    def start(self, *steps: Mapping[str, Any], parameters: Mapping[str, str] | None = None, **more: Any) -> str:
        """Start an execution of a pipeline of these steps."""
        known = [
            {"Name": "Epochs", "Type": "Integer", "DefaultValue": 3},
            {"Name": "Kind", "Type": "String", "DefaultValue": "a", "EnumValues": ["a", "b"]},
        ]
        text = json.dumps({"Version": "2020-12-01", "Parameters": known, "Steps": list(steps)})
        asked = {"PipelineName": "dogs", "PipelineDefinition": text, "RoleArn": worlds.ROLE}
        try:
            self.service.answer("CreatePipeline", {**asked, "ClientRequestToken": "t" * 32})
        except ServiceError:
            self.service.answer("UpdatePipeline", asked)
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
            one["StepName"]: one
            for one in self.service.answer("ListPipelineExecutionSteps", request)["PipelineExecutionSteps"]
        }

    def statuses(self, arn: str) -> dict[str, str]:
        return {name: one["StepStatus"] for name, one in self.steps(arn).items()}

    def end(self, step: str, status: Any = "Completed", **members: Any) -> None:
        """Let the newest job of a step end."""
        name = [job for job in self.jobs if f"-{step}" in job][-1]
        self.jobs[name].update(TrainingJobStatus=status, ProcessingJobStatus=status, **members)

    def _call(self, run: Run, operation: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
        if not operation.endswith("Job"):
            return self.service.answer(operation, dict(request))
        if self.refusals:
            raise self.refusals.pop(0)
        name = request.get("TrainingJobName") or request["ProcessingJobName"]
        if operation.startswith("Create"):
            if name in self.jobs:
                raise ServiceError("ResourceInUse", f"Job name must be unique: {name}")
            self.begun.append(run.step.name)
            self.jobs[name] = {**request, "TrainingJobStatus": "InProgress", "ProcessingJobStatus": "InProgress"}
            self.jobs[name].update(TrainingJobArn=f"arn:{name}", ProcessingJobArn=f"arn:{name}")
        if operation.startswith("Stop"):
            self.jobs[name].update(TrainingJobStatus="Stopped", ProcessingJobStatus="Stopped")
        return self.jobs[name]

    def _invoke(self, run: Run, arn: str, payload: str) -> Invoked:
        self.begun.append(run.step.name)
        answer = self.returns.get(arn, {})
        if isinstance(answer, KilledError):
            raise answer
        if isinstance(answer, Exception):
            return Invoked(json.dumps({"errorMessage": str(answer)}), "Unhandled")
        return Invoked(json.dumps({**answer, "given": payload}))


class AtOnce(Pool):
    """A pool that does what it is given before it says so."""

    def submit(self, function: Any, /, *arguments: Any, **named: Any) -> Any:
        future: Future[Any] = Future()
        future.set_result(function(*arguments, **named))
        return future
