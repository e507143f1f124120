"""A pipeline and its executions: each execution goes to its next state whenever it is described."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

from tests.support.fakes.clients import FakeService

ARN = "arn:aws:sagemaker:us-east-1:123456789012"
PIPELINE = "dog-breeds"
NOON = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)
MACHINES = ["ml.m5.large", "ml.m5.xlarge"]
DEFINITION = {
    "Version": "2020-12-01",
    "Parameters": [
        {"Name": "InputDataUrl", "Type": "String", "DefaultValue": "https://host/images.zip"},
        {"Name": "Epochs", "Type": "Integer", "DefaultValue": 50},
        {"Name": "AccuracyThreshold", "Type": "Float", "DefaultValue": 0.7},
        {"Name": "Machine", "Type": "String", "DefaultValue": MACHINES[0], "EnumValues": MACHINES},
        {"Name": "Thorough", "Type": "Boolean", "DefaultValue": False},
    ],
    "Steps": [{"Name": name, "Type": "Training", "Arguments": {}} for name in ("PrepareData", "Tune", "TrainBest")],
}


@dataclass(frozen=True)
class ExecutionState:
    """The status of an execution at one moment, and its steps then."""

    status: str
    steps: tuple[Mapping[str, Any], ...] = ()
    reason: str = ""


def listed_step(name: str, status: str, **more: Any) -> dict[str, Any]:
    """A step as the listing shows it; a step that has ended took a minute."""
    ended = {} if status in ("Starting", "Executing") else {"EndTime": NOON + timedelta(minutes=1)}
    return {"StepName": name, "StepStatus": status, "StartTime": NOON, **ended, **more}


def job_metadata(kind: str, name: str) -> dict[str, Any]:
    """The metadata of a step that started a job."""
    return {kind: {"Arn": f"{ARN}:job/{name}"}}


@dataclass
class Executions(FakeService):
    """The operations on one pipeline; its newest execution is the last."""

    definition: str = json.dumps(DEFINITION)
    states: dict[str, list[ExecutionState]] = field(default_factory=dict)
    latest: dict[str, ExecutionState] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    started: list[Mapping[str, Any]] = field(default_factory=list)
    begins: list[ExecutionState] = field(
        default_factory=lambda: [ExecutionState("Executing"), ExecutionState("Succeeded")]
    )
    domains: list[dict[str, Any]] = field(default_factory=lambda: [{"DomainId": "d-abc"}])
    packages: dict[int, str] = field(default_factory=dict)
    page: int = 100
    metrics: dict[str, dict[str, float]] = field(default_factory=dict)

    def describe_training_job(self, request: dict[str, Any]) -> dict[str, Any]:
        values = self.metrics.get(request["TrainingJobName"], {})
        return {"FinalMetricDataList": [{"MetricName": name, "Value": value} for name, value in values.items()]}

    def describe_hyper_parameter_tuning_job(self, request: dict[str, Any]) -> dict[str, Any]:
        best = [
            {"MetricName": name, "Value": value}
            for name, value in self.metrics.get(request["HyperParameterTuningJobName"], {}).items()
        ]
        return {
            "HyperParameterTuningJobConfig": {"ResourceLimits": {"MaxNumberOfTrainingJobs": 4}},
            "TrainingJobStatusCounters": {"Completed": len(best), "InProgress": 2},
            **({"BestTrainingJob": {"FinalHyperParameterTuningJobObjectiveMetric": best[0]}} if best else {}),
        }

    def add(self, identifier: str, *states: ExecutionState) -> str:
        """Add an execution that goes through these states."""
        self.states[identifier] = list(states) or [ExecutionState("Succeeded")]
        return arn(identifier)

    def describe_pipeline(self, request: dict[str, Any]) -> dict[str, Any]:
        self._check(request["PipelineName"])
        return {"PipelineDefinition": self.definition}

    def describe_pipeline_definition_for_execution(self, request: dict[str, Any]) -> dict[str, Any]:
        self._stages(request)
        return {"PipelineDefinition": self.definition}

    def list_domains(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"Domains": self.domains}

    def start_pipeline_execution(self, request: dict[str, Any]) -> dict[str, Any]:
        self._check(request["PipelineName"])
        again = next(
            (
                execution
                for execution in self.started
                if execution["ClientRequestToken"] == request["ClientRequestToken"]
            ),
            None,
        )
        if again is None:
            self.started.append(request)
            self.names[f"new{len(self.started)}"] = request["PipelineExecutionDisplayName"]
            self.add(f"new{len(self.started)}", *self.begins)
        return {"PipelineExecutionArn": arn(f"new{len(self.started)}")}

    def list_pipeline_executions(self, request: dict[str, Any]) -> dict[str, Any]:
        self._check(request["PipelineName"])
        found = list(reversed(self.states)) if request["SortOrder"] == "Descending" else list(self.states)
        start = int(request.get("NextToken", 0))
        listed = [
            {
                "PipelineExecutionArn": arn(identifier),
                "PipelineExecutionStatus": self.states[identifier][0].status,
                "StartTime": NOON,
                "PipelineExecutionDisplayName": self.names.get(identifier, "by-hand"),
            }
            for identifier in found[start : start + self.page]
        ]
        more = {"NextToken": str(start + self.page)} if len(found) > start + self.page else {}
        return {"PipelineExecutionSummaries": listed, **more}

    def describe_pipeline_execution(self, request: dict[str, Any]) -> dict[str, Any]:
        stages = self._stages(request)
        now = self.latest[_identifier(request)] = stages.pop(0) if len(stages) > 1 else stages[0]
        identity = {"Arn": "arn:aws:sts::123456789012:assumed-role/pedigree-scheduler/abc"}
        return {
            "PipelineExecutionArn": request["PipelineExecutionArn"],
            "PipelineExecutionDisplayName": self.names.get(_identifier(request), "by-hand"),
            "PipelineExecutionStatus": now.status,
            "CreationTime": NOON,
            "LastModifiedTime": NOON + timedelta(minutes=90),
            "CreatedBy": {"IamIdentity": identity},
            **({"FailureReason": now.reason} if now.reason else {}),
        }

    def list_pipeline_execution_steps(self, request: dict[str, Any]) -> dict[str, Any]:
        now = self.latest.get(_identifier(request), self._stages(request)[0])
        return {"PipelineExecutionSteps": list(now.steps)}

    def stop_pipeline_execution(self, request: dict[str, Any]) -> dict[str, Any]:
        self.states[_identifier(request)] = [ExecutionState("Stopping"), ExecutionState("Stopped")]
        return {"PipelineExecutionArn": request["PipelineExecutionArn"]}

    def retry_pipeline_execution(self, request: dict[str, Any]) -> dict[str, Any]:
        self.states[_identifier(request)] = [ExecutionState("Executing"), ExecutionState("Succeeded")]
        return {"PipelineExecutionArn": request["PipelineExecutionArn"]}

    def list_training_jobs_for_hyper_parameter_tuning_job(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"TrainingJobSummaries": [{"TrainingJobName": f"{request['HyperParameterTuningJobName']}-002-bad"}]}

    def _stages(self, request: Mapping[str, Any]) -> list[ExecutionState]:
        if _identifier(request) not in self.states:
            self.refuse("ResourceNotFound", f"Pipeline execution {request['PipelineExecutionArn']} does not exist.")
        return self.states[_identifier(request)]

    def _check(self, pipeline: str) -> None:
        if pipeline != PIPELINE:
            self.refuse("ResourceNotFound", f"Pipeline '{ARN}:pipeline/{pipeline}' does not exist.")


def arn(identifier: str) -> str:
    """The ARN of an execution."""
    return f"{ARN}:pipeline/{PIPELINE}/execution/{identifier}"


def _identifier(request: Mapping[str, Any]) -> str:
    return str(request["PipelineExecutionArn"]).rpartition("/")[2]


@dataclass
class Logs(FakeService):
    """Log groups with streams of lines."""

    groups: dict[str, dict[str, list[str]]] = field(default_factory=dict)

    def describe_log_streams(self, request: dict[str, Any]) -> dict[str, Any]:
        streams = self._group(request)
        prefix = request.get("logStreamNamePrefix", "")
        return {"logStreams": [{"logStreamName": name} for name in streams if name.startswith(prefix)]}

    def get_log_events(self, request: dict[str, Any]) -> dict[str, Any]:
        lines = self._group(request)[request["logStreamName"]][-request["limit"] :]
        return {"events": [{"timestamp": 0, "message": line} for line in lines]}

    def _group(self, request: Mapping[str, Any]) -> dict[str, list[str]]:
        if request["logGroupName"] not in self.groups:
            self.refuse("ResourceNotFoundException", "The specified log group does not exist.")
        return self.groups[request["logGroupName"]]
