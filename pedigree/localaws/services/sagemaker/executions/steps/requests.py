"""Steps that are a Create request to SageMaker: a job that runs for a while, or a resource that exists at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pedigree.language.shapes import OPERATIONS, Operation
from pedigree.language.step_roles import with_pipeline_role
from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.services.sagemaker.executions.steps.invocations import exists, invoke
from pedigree.localaws.services.sagemaker.executions.steps.runner import JOB_FAULTS, LONGEST_NAME, Attempt, StepResult
from pedigree.localaws.services.sagemaker.executions.steps.services import StepServices

_MOST_TRIALS = 50


@dataclass(frozen=True)
class JobLifecycle:
    """What SageMaker calls a job, or another resource, and the statuses in which it has ended.

    A resource without a status exists, and has ended, as soon as it is created. Where has_prefix, a name in the
    definition is the beginning of the name that each execution makes: the SDK's use_custom_job_prefix.
    """

    metadata: str
    describe: str
    arn: str
    status: str = ""
    succeeded: str = ""
    stopped: str = "Stopped"
    failed: tuple[str, ...] = ("Failed",)
    stop: str = ""
    has_prefix: bool = False


def job(noun: str, metadata: str = "") -> JobLifecycle:
    """The lifecycle of a job, by the noun in its operations."""
    return JobLifecycle(
        metadata or f"{noun}Job",
        f"Describe{noun}Job",
        f"{noun}JobArn",
        f"{noun}JobStatus",
        succeeded="Completed",
        stop=f"Stop{noun}Job",
        has_prefix=True,
    )


class RequestRunner:
    """Runs a step that is a Create request; it has ended when what the request created has."""

    def __init__(self, lifecycle: JobLifecycle, services: StepServices, *, longest_name: int = 0) -> None:
        self._lifecycle = lifecycle
        self._services = services
        self._longest_name = longest_name

    def start(self, attempt: Attempt) -> Mapping[str, Any]:
        """Send the request; what it created before a restart is found by its name."""
        try:
            answer = self._create(attempt)
        except ServiceError as error:
            if not exists(error):
                raise
            answer = self._describe(attempt)
        return {self._lifecycle.metadata: {"Arn": answer[self._lifecycle.arn]}}

    def poll(self, attempt: Attempt) -> StepResult | None:
        lifecycle, described = self._lifecycle, self._describe(attempt)
        status = described.get(lifecycle.status, "")
        if not lifecycle.status or status == lifecycle.succeeded:
            return StepResult("Succeeded", self._completed(attempt, described))
        if status == lifecycle.stopped:
            return StepResult("Stopped", described)
        if status in lifecycle.failed:
            reason = described.get("FailureReason", f"{attempt.step.name} failed")
            return StepResult(
                "Failed", described, f"ClientError: {reason}", JOB_FAULTS.get(reason.partition(":")[0], "")
            )
        return None

    def stop(self, attempt: Attempt) -> None:
        if self._lifecycle.stop:
            self._services.call(attempt, self._lifecycle.stop, self._identity(attempt))

    def _create(self, attempt: Attempt) -> Mapping[str, Any]:
        return invoke(self._services, attempt, _operation(attempt).create, self._request(attempt))

    def _request(self, attempt: Attempt) -> Mapping[str, Any]:
        written = _without_nulls(attempt.arguments)
        arguments = with_pipeline_role(attempt.step.type, written, attempt.execution["RoleArn"])
        return {**arguments, **self._identity(attempt)}

    def _describe(self, attempt: Attempt) -> Mapping[str, Any]:
        return self._services.call(attempt, self._lifecycle.describe, self._identity(attempt))

    def _identity(self, attempt: Attempt) -> Mapping[str, str]:
        """The name member, which distinguishes this attempt's request from all others."""
        return {_operation(attempt).name_member: self._name(attempt)}

    def _name(self, attempt: Attempt) -> str:
        chosen = str(attempt.arguments.get(_operation(attempt).name_member) or "")
        if chosen and not self._lifecycle.has_prefix:
            return chosen
        if chosen:
            return attempt.short_name(self._longest_name or LONGEST_NAME, chosen)
        return attempt.short_name(self._longest_name) if self._longest_name else attempt.name

    def _completed(self, _attempt: Attempt, described: Mapping[str, Any]) -> Mapping[str, Any]:
        return described


class TuningRunner(RequestRunner):
    """Runs a search, which is also described by its trials, the best first."""

    def _completed(self, attempt: Attempt, described: Mapping[str, Any]) -> Mapping[str, Any]:
        objective = described["HyperParameterTuningJobConfig"].get("HyperParameterTuningJobObjective", {})
        request = {
            **self._identity(attempt),
            "SortBy": "FinalObjectiveMetricValue",
            "SortOrder": "Descending" if objective.get("Type") == "Maximize" else "Ascending",
            "MaxResults": _MOST_TRIALS,
        }
        trials = self._services.call(attempt, "ListTrainingJobsForHyperParameterTuningJob", request)
        return {**described, **trials}


class RegistrationRunner(RequestRunner):
    """Registers a model package. The number of a version in a group is not known beforehand: a token identifies it."""

    def _create(self, attempt: Attempt) -> Mapping[str, Any]:
        """Create the version, and before that its group: the service tries each time, and goes on if it is there."""
        if group := attempt.arguments.get("ModelPackageGroupName"):
            name = str(group).rpartition("/")[2]
            try:
                invoke(self._services, attempt, "CreateModelPackageGroup", {"ModelPackageGroupName": name})
            except ServiceError as error:
                if not exists(error):
                    raise
        return super()._create(attempt)

    def _request(self, attempt: Attempt) -> Mapping[str, Any]:
        """A version says which execution has made it."""
        given = attempt.arguments.get("MetadataProperties") or {}
        generated = {"GeneratedBy": attempt.execution["PipelineExecutionArn"], **given}
        return {**super()._request(attempt), "MetadataProperties": generated}

    def _identity(self, attempt: Attempt) -> Mapping[str, str]:
        if "ModelPackageGroupName" in attempt.arguments:
            return {"ClientToken": f"{attempt.execution_id}-{attempt.token}"}
        return super()._identity(attempt)

    def _describe(self, attempt: Attempt) -> Mapping[str, Any]:
        if "ModelPackageGroupName" not in attempt.arguments:
            return super()._describe(attempt)
        version = super()._create(attempt)["ModelPackageArn"]  # the same token finds the same version
        return self._services.call(attempt, self._lifecycle.describe, {"ModelPackageName": version})


def _operation(attempt: Attempt) -> Operation:
    return OPERATIONS[attempt.step.type]


def _without_nulls(value: Any) -> Any:
    """A part of a request without the members that are null, as if they were left out."""
    if isinstance(value, Mapping):
        return {name: _without_nulls(member) for name, member in value.items() if member is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value
