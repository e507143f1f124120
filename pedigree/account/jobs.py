"""Finds the job or function of a step, its page in the console, and the end of its log."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pedigree.account import links
from pedigree.account.account import Account
from pedigree.account.errors import OperationsError

LINES = 20
_MOST_STREAMS = 20
_TROUBLE = ("Traceback", "Error", "error:")


@dataclass(frozen=True)
class Kind:
    """One kind of job: its service and page in the console, and its log group."""

    service: str
    page: str
    group: str


_KINDS: Mapping[str, Kind] = {
    "TrainingJob": Kind("sagemaker", "/jobs/{}", "/aws/sagemaker/TrainingJobs"),
    "ProcessingJob": Kind("sagemaker", "/processing-jobs/{}", "/aws/sagemaker/ProcessingJobs"),
    "TransformJob": Kind("sagemaker", "/transform-jobs/{}", "/aws/sagemaker/TransformJobs"),
    "TuningJob": Kind("sagemaker", "/hyper-tuning-jobs/{}", "/aws/sagemaker/TrainingJobs"),
    "Lambda": Kind("lambda", "/functions/{}", "/aws/lambda/{}"),
}


@dataclass(frozen=True)
class Job:
    """One job or function; kind is its key in a step's metadata."""

    kind: str
    name: str

    def link(self, region: str) -> str:
        """Its page in the console."""
        kind = _KINDS[self.kind]
        return links.console(region, kind.service, kind.page.format(self.name))

    @property
    def group(self) -> str:
        """Its log group."""
        return _KINDS[self.kind].group.format(self.name)


@dataclass(frozen=True)
class LogTail:
    """The last lines of a log, and a link to all of it."""

    log: str
    lines: tuple[str, ...]
    link: str = ""


def of_step(metadata: Mapping[str, Any]) -> Job | None:
    """The job that a step's metadata names; a function's ARN may end with a version or an alias."""
    for kind in _KINDS:
        arn = metadata.get(kind, {}).get("Arn", "")
        if arn:
            return Job(kind, arn.split(":")[6] if kind == "Lambda" else arn.rpartition("/")[2])
    return None


def tail(job: Job, account: Account) -> LogTail:
    """The last lines of a failed job's log, or why they cannot be read."""
    try:
        return _tail(_failed(job, account), account)
    except OperationsError as error:
        return LogTail(job.group, (f"the log cannot be read: {error}",))


def _failed(job: Job, account: Account) -> Job:
    """The job that has the log: for a tuning job, the training that failed last."""
    if job.kind != "TuningJob":
        return job
    newest = {"StatusEquals": "Failed", "SortBy": "CreationTime", "SortOrder": "Descending", "MaxResults": 1}
    answer = account.call(
        "sagemaker",
        "list_training_jobs_for_hyper_parameter_tuning_job",
        HyperParameterTuningJobName=job.name,
        **newest,
    )
    return next((Job("TrainingJob", training["TrainingJobName"]) for training in answer["TrainingJobSummaries"]), job)


def _tail(job: Job, account: Account) -> LogTail:
    """The end of the stream with an error, or of the first: of several machines, one failed before the others."""
    tails = [LogTail(f"{job.group} {stream}", _lines(job, stream, account)) for stream in _streams(job, account)]
    with_errors = [tail for tail in tails if any(word in line for line in tail.lines for word in _TROUBLE)]
    chosen = next(iter([*with_errors, *tails]), LogTail(job.group, ("nothing was written",)))
    prefix = "" if job.kind == "Lambda" else job.name
    return LogTail(chosen.log, chosen.lines, links.log_group(account.console, job.group, prefix))


def _streams(job: Job, account: Account) -> list[str]:
    if job.kind == "Lambda":
        narrowed: dict[str, Any] = {"orderBy": "LastEventTime", "descending": True, "limit": 1}
    else:
        narrowed = {"logStreamNamePrefix": f"{job.name}/", "limit": _MOST_STREAMS}
    answer = account.find("logs", "describe_log_streams", logGroupName=job.group, **narrowed) or {}
    return sorted(stream["logStreamName"] for stream in answer.get("logStreams", ()))


def _lines(job: Job, stream: str, account: Account) -> tuple[str, ...]:
    events = account.call("logs", "get_log_events", logGroupName=job.group, logStreamName=stream, limit=LINES)
    return tuple(line for event in events["events"] for line in lines_of_message(event["message"]))[-LINES:]


def lines_of_message(message: str) -> Iterator[str]:
    """The lines of a message; of a progress bar, its last state. CloudWatch Logs writes the bar's returns as #015."""
    for line in message.replace("#015", "\r").replace("#011", "\t").split("\n"):
        if line.strip():
            yield line.rstrip().rpartition("\r")[2]
