"""Finds what the steps of an execution write to CloudWatch Logs: jobs, trials of searches, functions, endpoints."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pedigree.account import jobs
from pedigree.account.account import Account
from pedigree.account.jobs import Job
from pedigree.account.log_streams import EventReader, StreamReader, WindowReader, stream_names

LATE = dt.timedelta(seconds=60)
"""How long after its end a job's last lines may arrive."""
_MAIN_HOST = "algo-1"
_REUSED = ("CacheHitResult", "SelectiveExecutionResult")
_AFTER_THE_END = dt.timedelta(seconds=5)


@dataclass(frozen=True)
class LogFilter:
    """Which lines are wanted."""

    steps: tuple[str, ...] = ()
    job: str = ""
    """A part of the name of a job or a trial."""
    host: str = ""
    since: dt.datetime | None = None

    @property
    def is_narrow(self) -> bool:
        """Whether something other than the step is chosen."""
        return bool(self.job or self.host or self.since)

    def has_job(self, name: str) -> bool:
        return self.job in name

    def has_host(self, name: str) -> bool:
        return self.host in ("", name)

    def start(self, moment: dt.datetime | None) -> dict[str, int]:
        """The start of what is read: the moment, or `since` where that is later."""
        moments = [_milliseconds(each) for each in (moment, self.since) if each]
        return {"startTime": max(moments)} if moments else {}


@dataclass(frozen=True)
class JobRun:
    """A job of a step, and when it ended."""

    label: str
    job: Job
    ended: dt.datetime | None


@dataclass
class StepLog:
    """The sources of one step's lines."""

    account: Account
    wanted: LogFilter
    step: Mapping[str, Any]
    readers: dict[str, EventReader] = field(default_factory=dict)
    _settled: set[str] = field(default_factory=set)

    @property
    def name(self) -> str:
        return str(self.step["StepName"])

    @property
    def reused_from(self) -> str:
        """The id of the execution that ran the step, if it was not this one."""
        sources = [self.step.get(key, {}).get("SourcePipelineExecutionArn", "") for key in _REUSED]
        return next((arn.rpartition("/")[2] for arn in sources if arn), "")

    @property
    def is_empty(self) -> bool:
        return all(reader.is_empty for reader in self.readers.values())

    @property
    def writes(self) -> bool:
        """Whether it started something that writes a log."""
        metadata = self.step.get("Metadata", {})
        return bool(jobs.of_step(metadata) or _checking_job(metadata) or "Endpoint" in metadata)

    def places(self) -> list[str]:
        """Where its lines are."""
        return [f"{run.job.group} {run.job.name}" for run in self.runs()] or [group for group, _ in self._windows()]

    def update(self, step: Mapping[str, Any]) -> list[EventReader]:
        """Takes the step's present state; returns the readers that may have new events."""
        self.step = step
        if self.reused_from:
            return []
        now = self.account.clock.now()
        return [*self._of_jobs(now), *self._of_windows(now)]

    def runs(self) -> Iterator[JobRun]:
        """The jobs of the step; of a search, its trials."""
        metadata = self.step.get("Metadata", {})
        job = jobs.of_step(metadata) or _checking_job(metadata)
        if job and job.kind == "TuningJob":
            yield from self._trials(job)
        elif job and job.kind != "Lambda":
            yield JobRun(self.name, job, self.step.get("EndTime"))

    def _trials(self, search: Job) -> Iterator[JobRun]:
        trials = self.account.each(
            "sagemaker",
            "list_training_jobs_for_hyper_parameter_tuning_job",
            "TrainingJobSummaries",
            HyperParameterTuningJobName=search.name,
            SortBy="CreationTime",
            SortOrder="Ascending",
        )
        for trial in trials:
            name = trial["TrainingJobName"]
            label = f"{self.name}/{name.removeprefix(f'{search.name}-')}"
            yield JobRun(label, Job("TrainingJob", name), trial.get("TrainingEndTime"))

    def _of_jobs(self, now: dt.datetime) -> Iterator[EventReader]:
        for run in self.runs():
            if run.job.name in self._settled or not self.wanted.has_job(run.job.name):
                continue
            if run.ended and now > run.ended + LATE:
                self._settled.add(run.job.name)
            yield from self._streams(run)

    def _streams(self, run: JobRun) -> Iterator[EventReader]:
        for stream in stream_names(self.account, run.job.group, f"{run.job.name}/"):
            host = re.sub(r"-\d{10,}$", "", stream.removeprefix(f"{run.job.name}/"))
            if self.wanted.has_host(host):
                label = run.label if host == _MAIN_HOST else f"{run.label}/{host}"
                request = {"logGroupName": run.job.group, "logStreamName": stream, **self.wanted.start(None)}
                yield self.readers.setdefault(stream, StreamReader(self.account, label, request))

    def _of_windows(self, now: dt.datetime) -> Iterator[EventReader]:
        ended = self.step.get("EndTime")
        for group, name in self._windows():
            if group in self._settled or not self.wanted.has_job(name) or self.wanted.host:
                continue
            if ended and now > ended + LATE:
                self._settled.add(group)
            end = {"endTime": _milliseconds(ended + _AFTER_THE_END)} if ended else {}
            request = {"logGroupName": group, **self.wanted.start(self.step.get("StartTime")), **end}
            reader = self.readers.setdefault(group, WindowReader(self.account, self.name, request))
            reader.request = request  # the end of the window is known late
            yield reader

    def _windows(self) -> Iterator[tuple[str, str]]:
        """The groups that others write to as well, and the names of what writes."""
        metadata = self.step.get("Metadata", {})
        job = jobs.of_step(metadata)
        if job and job.kind == "Lambda":
            yield job.group, job.name
        endpoint = metadata.get("Endpoint", {}).get("Arn", "").rpartition("/")[2]
        if endpoint:
            yield f"/aws/sagemaker/Endpoints/{endpoint}", endpoint


def _checking_job(metadata: Mapping[str, Any]) -> Job | None:
    """The processing job of a QualityCheck or ClarifyCheck step."""
    arns = [metadata.get(kind, {}).get("CheckJobArn", "") for kind in ("QualityCheck", "ClarifyCheck")]
    return next((Job("ProcessingJob", arn.rpartition("/")[2]) for arn in arns if arn), None)


def _milliseconds(moment: dt.datetime) -> int:
    return int(moment.timestamp() * 1000)
