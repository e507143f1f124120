"""Steps that are a request to SageMaker: a job that runs for a while, or a resource that is there at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from pedigree.language.shapes import OPERATIONS
from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.services.sagemaker.executions.steps.runner import JOB_FAULTS, Ended, Run

Call: TypeAlias = Callable[[Run, str, Mapping[str, Any]], Mapping[str, Any]]
"""An operation of SageMaker, in the name of the execution's role."""
_NO_GROUP = "does not exist"
_THERE = ("ResourceInUse", "already existing", "must be unique", "already exists")


@dataclass(frozen=True)
class Life:
    """What a type's resource is called and how its life goes: where its status stands, and which of them are ends.

    Where names must be shorter than usual, longest_name says how long they may be.
    """

    metadata: str
    describe: str
    arn: str
    status: str = ""
    succeeded: tuple[str, ...] = ()
    stopped: tuple[str, ...] = ("Stopped",)
    failed: tuple[str, ...] = ("Failed",)
    stop: str = ""
    longest_name: int = 0


LIVES: Mapping[str, Life] = {
    "Processing": Life(
        *("ProcessingJob", "DescribeProcessingJob", "ProcessingJobArn", "ProcessingJobStatus"),
        succeeded=("Completed",),
        stop="StopProcessingJob",
    ),
    "Training": Life(
        *("TrainingJob", "DescribeTrainingJob", "TrainingJobArn", "TrainingJobStatus"),
        succeeded=("Completed",),
        stop="StopTrainingJob",
    ),
    "Tuning": Life(
        *(
            "TuningJob",
            "DescribeHyperParameterTuningJob",
            "HyperParameterTuningJobArn",
            "HyperParameterTuningJobStatus",
        ),
        succeeded=("Completed",),
        stop="StopHyperParameterTuningJob",
        longest_name=32,
    ),
    "Transform": Life(
        *("TransformJob", "DescribeTransformJob", "TransformJobArn", "TransformJobStatus"),
        succeeded=("Completed",),
        stop="StopTransformJob",
    ),
    "Endpoint": Life(
        *("Endpoint", "DescribeEndpoint", "EndpointArn", "EndpointStatus"),
        succeeded=("InService",),
        failed=("Failed", "OutOfService"),
    ),
    "Model": Life("Model", "DescribeModel", "ModelArn"),
    "EndpointConfig": Life("EndpointConfig", "DescribeEndpointConfig", "EndpointConfigArn"),
    "RegisterModel": Life("RegisterModel", "DescribeModelPackage", "ModelPackageArn"),
}


class RequestRunner:
    """A step that is a Create* request, and has ended when what it made has."""

    def __init__(self, call: Call) -> None:
        self._call = call

    def start(self, run: Run) -> Mapping[str, Any]:
        """Make the request; one that was made before a restart is found again by its name."""
        operation, life = OPERATIONS[run.step.type], LIVES[run.step.type]
        request = {**run.arguments, **self._identity(run)}
        try:
            answer = self._made(run, operation.create, request)
        except ServiceError as error:
            if not any(words in f"{error.code} {error.message}" for words in _THERE):
                raise
            answer = self._describe(run)
        return {life.metadata: {"Arn": answer[life.arn]}}

    def _made(self, run: Run, operation: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """What is asked for; a version's group is made with its first version, as pipelines do it."""
        try:
            return self._call(run, operation, request)
        except ServiceError as error:
            group = request.get("ModelPackageGroupName")
            if run.step.type != "RegisterModel" or not group or _NO_GROUP not in error.message:
                raise
            self._call(run, "CreateModelPackageGroup", {"ModelPackageGroupName": group})
            return self._call(run, operation, request)

    def look(self, run: Run) -> Ended | None:
        """How the job ended; a resource without a life is there as soon as it is made."""
        life, described = LIVES[run.step.type], self._describe(run)
        status = described.get(life.status, "")
        if not life.status or status in life.succeeded:
            return Ended("Succeeded", self._completed(run, described))
        if status in life.stopped:
            return Ended("Stopped", described)
        if status in life.failed:
            reason = described.get("FailureReason", f"{run.step.name} failed")
            return Ended("Failed", described, reason, JOB_FAULTS.get(reason.partition(":")[0], ""))
        return None

    def stop(self, run: Run) -> None:
        """Ask the job to end."""
        life, operation = LIVES[run.step.type], OPERATIONS[run.step.type]
        if life.stop:
            self._call(run, life.stop, {operation.name_member: self._name(run)})

    def _name(self, run: Run) -> str:
        chosen = run.arguments.get(OPERATIONS[run.step.type].name_member)
        longest = LIVES[run.step.type].longest_name
        return str(chosen) if chosen else run.named(longest) if longest else run.name

    def _identity(self, run: Run) -> Mapping[str, str]:
        """What tells this attempt's request from all others: a name; of a version in a group, a token."""
        if run.step.type == "RegisterModel" and "ModelPackageGroupName" in run.arguments:
            return {"ClientToken": f"{run.execution_id}-{run.token}"}
        return {OPERATIONS[run.step.type].name_member: self._name(run)}

    def _describe(self, run: Run) -> Mapping[str, Any]:
        life, operation = LIVES[run.step.type], OPERATIONS[run.step.type]
        return self._call(run, life.describe, {operation.name_member: self._described_name(run)})

    def _described_name(self, run: Run) -> str:
        if run.step.type == "RegisterModel" and "ModelPackageGroupName" in run.arguments:
            # The version's number is not known beforehand; the same token finds the same version.
            answer = self._call(run, "CreateModelPackage", {**run.arguments, **self._identity(run)})
            return str(answer["ModelPackageArn"])
        return self._name(run)

    def _completed(self, run: Run, described: Mapping[str, Any]) -> Mapping[str, Any]:
        """A search is also known by its trials, the best first."""
        if run.step.type != "Tuning":
            return described
        request = {
            "HyperParameterTuningJobName": self._name(run),
            "SortBy": "FinalObjectiveMetricValue",
            "SortOrder": _best_first(described),
            "MaxResults": 50,
        }
        listed = self._call(run, "ListTrainingJobsForHyperParameterTuningJob", request)
        return {**described, **listed}


def _best_first(described: Mapping[str, Any]) -> str:
    objective = described["HyperParameterTuningJobConfig"].get("HyperParameterTuningJobObjective", {})
    return "Descending" if objective.get("Type") == "Maximize" else "Ascending"
