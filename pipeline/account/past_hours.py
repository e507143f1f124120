"""How long the jobs of past executions ran, step by step.

Only jobs that succeeded count, on the machine that is planned now; a step whose earlier result was reused has run
nothing. SageMaker bills the seconds that a job reports.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from statistics import fmean
from typing import Any

from pedigree.account.account import Account
from pedigree.account.errors import AbsentError
from pipeline.account.cost import JobHours
from pipeline.account.usage import JobUsage

_EXECUTIONS = 5
_HOUR = 3600
Ran = tuple[str, float]
"""An instance type, and the hours that a job ran on it."""


def past_hours(account: Account, pipeline: str, planned: Sequence[JobUsage]) -> dict[str, JobHours]:
    """The mean hours of a job, for each step of the last executions."""
    machines = {job.step: job.instance_type for job in planned}
    durations: dict[str, list[float]] = {}
    for step in _steps(account, pipeline):
        ran = [hours for machine, hours in _ran(step, account) if machine == machines.get(step["StepName"])]
        if ran:
            durations.setdefault(step["StepName"], []).append(fmean(ran))
    return {
        name: JobHours(fmean(ran), f"of {len(ran)} past execution{'s' if len(ran) > 1 else ''}")
        for name, ran in durations.items()
    }


def _steps(account: Account, pipeline: str) -> Iterator[Mapping[str, Any]]:
    """The steps of the last executions that ran jobs and succeeded."""
    newest = {"PipelineName": pipeline, "SortBy": "CreationTime", "SortOrder": "Descending"}
    executions = account.each("sagemaker", "list_pipeline_executions", "PipelineExecutionSummaries", **newest)
    try:
        chosen = [execution["PipelineExecutionArn"] for execution in islice(executions, _EXECUTIONS)]
    except AbsentError:
        return
    for arn in chosen:
        query = {"PipelineExecutionArn": arn}
        for step in account.each("sagemaker", "list_pipeline_execution_steps", "PipelineExecutionSteps", **query):
            if step.get("StepStatus") == "Succeeded" and "CacheHitResult" not in step:
                yield step


def _ran(step: Mapping[str, Any], account: Account) -> list[Ran]:
    """The machine and duration of each job of a step."""
    for kind, read in _JOBS.items():
        arn = step.get("Metadata", {}).get(kind, {}).get("Arn", "")
        if arn:
            return list(read(arn.rpartition("/")[2], account))
    return []


def _training(name: str, account: Account) -> Iterator[Ran]:
    job = account.find("sagemaker", "describe_training_job", TrainingJobName=name)
    seconds = job and job.get("BillableTimeInSeconds", job.get("TrainingTimeInSeconds"))
    if seconds:
        yield job["ResourceConfig"]["InstanceType"], seconds / _HOUR


def _processing(name: str, account: Account) -> Iterator[Ran]:
    job = account.find("sagemaker", "describe_processing_job", ProcessingJobName=name)
    if job and job.get("ProcessingStartTime") and job.get("ProcessingEndTime"):
        lasted = (job["ProcessingEndTime"] - job["ProcessingStartTime"]).total_seconds()
        yield job["ProcessingResources"]["ClusterConfig"]["InstanceType"], lasted / _HOUR


def _tuning(name: str, account: Account) -> Iterator[Ran]:
    """The duration of each training of the search."""
    search = account.find("sagemaker", "describe_hyper_parameter_tuning_job", HyperParameterTuningJobName=name)
    if search is None:
        return
    machine = search["TrainingJobDefinition"]["ResourceConfig"]["InstanceType"]
    listing = "list_training_jobs_for_hyper_parameter_tuning_job"
    for summary in account.each("sagemaker", listing, "TrainingJobSummaries", HyperParameterTuningJobName=name):
        if summary.get("TrainingStartTime") and summary.get("TrainingEndTime"):
            yield machine, (summary["TrainingEndTime"] - summary["TrainingStartTime"]).total_seconds() / _HOUR


_JOBS: Mapping[str, Callable[[str, Account], Iterator[Ran]]] = {
    "TrainingJob": _training,
    "ProcessingJob": _processing,
    "TuningJob": _tuning,
}
