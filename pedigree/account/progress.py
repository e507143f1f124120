"""Reads the progress of an execution: the status of every step, and the log's end of failed ones."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pedigree.account import executions, jobs, links
from pedigree.account.account import Account
from pedigree.account.errors import AbsentError, DeniedError
from pedigree.account.executions import Execution
from pedigree.account.job_metrics import metrics
from pedigree.account.jobs import Job, LogTail
from pedigree.account.times import between
from pedigree.language.definition import Step, parse

WAITING = "Waiting"
NOT_RUN = "Not run"
FAILED = "Failed"


@dataclass(frozen=True)
class StepStatus:
    """One step of an execution."""

    name: str
    status: str
    started: dt.datetime | None = None
    ended: dt.datetime | None = None
    reason: str = ""
    notes: tuple[str, ...] = ()
    job: Job | None = None

    def took(self, now: dt.datetime) -> str:
        """How long it ran, or has been running."""
        return between(self.started, self.ended or now)


@dataclass(frozen=True)
class ExecutionProgress:
    """An execution at one moment."""

    execution: Execution
    steps: tuple[StepStatus, ...]
    link: str
    logs: Mapping[str, LogTail] = field(default_factory=dict)


def progress_reader(account: Account, pipeline: str, arn: str) -> Callable[[], ExecutionProgress]:
    """Returns the function that reads an execution; what does not change, it reads once."""
    planned = tuple(step.name for step in planned_steps(account, arn))
    logs, numbers = dict[str, LogTail](), dict[Job, tuple[str, ...]]()
    link = links.execution(account, pipeline, arn.rpartition("/")[2])

    def read() -> ExecutionProgress:
        execution = executions.described(account, arn)
        begun = _begun(account, arn)
        for step in begun.values():
            if step.status != FAILED:
                logs.pop(step.name, None)  # it is being retried
            elif step.job and step.name not in logs:
                logs[step.name] = jobs.tail(step.job, account)
        followed = {name: _with_numbers(step, account, numbers) for name, step in begun.items()}
        return ExecutionProgress(execution, tuple(_all(planned, followed, execution)), link, dict(logs))

    return read


def _with_numbers(step: StepStatus, account: Account, metrics_of_ended: dict[Job, tuple[str, ...]]) -> StepStatus:
    """A step with its job's metrics; those of an ended job are read once."""
    if step.job is None or step.status == FAILED:
        return step
    numbers = metrics_of_ended.get(step.job)
    if numbers is None:
        numbers = metrics(step.job, account)
        if step.ended:
            metrics_of_ended[step.job] = numbers
    return replace(step, notes=(*step.notes, *numbers))


def planned_steps(account: Account, arn: str) -> tuple[Step, ...]:
    """All steps in the order of the execution's definition; none if the definition cannot be read."""
    try:
        answer = account.call("sagemaker", "describe_pipeline_definition_for_execution", PipelineExecutionArn=arn)
    except (AbsentError, DeniedError):
        return ()
    return tuple(parse(answer["PipelineDefinition"]).all_steps())


def _begun(account: Account, arn: str) -> dict[str, StepStatus]:
    steps = account.each(
        "sagemaker",
        "list_pipeline_execution_steps",
        "PipelineExecutionSteps",
        PipelineExecutionArn=arn,
        SortOrder="Ascending",
    )
    return {step["StepName"]: _step(step) for step in steps}


def _all(planned: tuple[str, ...], begun: Mapping[str, StepStatus], execution: Execution) -> Iterator[StepStatus]:
    not_begun = NOT_RUN if execution.is_over else WAITING
    for name in dict.fromkeys((*planned, *begun)):
        yield begun.get(name) or StepStatus(name, not_begun)


def _step(answer: Mapping[str, Any]) -> StepStatus:
    metadata = answer.get("Metadata", {})
    return StepStatus(
        name=answer["StepName"],
        status=answer["StepStatus"],
        started=answer.get("StartTime"),
        ended=answer.get("EndTime"),
        reason=" ".join(answer.get("FailureReason", "").split()),
        notes=tuple(_notes(answer, metadata)),
        job=jobs.of_step(metadata),
    )


def _notes(answer: Mapping[str, Any], metadata: Mapping[str, Any]) -> Iterator[str]:
    for key, text in (("CacheHitResult", "reused from"), ("SelectiveExecutionResult", "taken from")):
        source = answer.get(key, {}).get("SourcePipelineExecutionArn", "")
        if source:
            yield f"{text} {source.rpartition('/')[2]}"
    if answer.get("AttemptCount", 1) > 1:
        yield f"attempt {answer['AttemptCount']}"
    outcome = metadata.get("Condition", {}).get("Outcome")
    if outcome:
        yield f"the condition is {outcome.lower()}"
    package = metadata.get("RegisterModel", {}).get("Arn", "")
    if package:
        yield f"version {package.rpartition('/')[2]}"
    for parameter in metadata.get("Lambda", {}).get("OutputParameters", ()):
        yield f"{parameter['Name']}: {parameter['Value']}"
    if "Callback" in metadata and answer.get("StepStatus") == executions.RUNNING:
        yield "waits for an answer"
