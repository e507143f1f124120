"""Trials: the training jobs of a search, what became of each, which is best, and how they are counted."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from pedigree.localaws.services.sagemaker.tuning.plan import Plan

OVER = ("Completed", "Failed", "Stopped")
# A better value counts as an improvement from this share on.
_IMPROVEMENT = 0.01
_HASH = 8


@dataclass(frozen=True)
class Trial:
    """A training job of a search."""

    number: int
    definition: int
    job: str
    tuned: Mapping[str, str]
    created: str
    status: str = "InProgress"
    started: str = ""
    ended: str = ""
    reason: str = ""
    series: tuple[float, ...] = ()
    objective: float | None = None
    is_given_up: bool = False

    @property
    def is_over(self) -> bool:
        """Whether the job has ended."""
        return self.status in OVER

    @property
    def has_succeeded(self) -> bool:
        """Whether the trial tells something: it ended without failing, even if early, and its objective is known."""
        return self.is_over and self.objective is not None

    def document(self) -> dict[str, Any]:
        """The trial as the store keeps it."""
        return {**asdict(self), "series": list(self.series)}


def read(document: Mapping[str, Any]) -> Trial:
    """A trial from what the store keeps."""
    return Trial(**{**document, "series": tuple(document["series"])})


def job_name(search: str, begun: str, number: int) -> str:
    """The name of a trial's job: the same whenever it is asked for, and never that of another search."""
    digest = hashlib.sha256(f"{search} {begun} {number}".encode()).hexdigest()[:_HASH]
    return f"{search}-{number:03d}-{digest}"


def followed(trial: Trial, job: Mapping[str, Any], metric: str, series: Sequence[float]) -> Trial:
    """A trial, now that its job says this and has told these values of its objective."""
    told, status = tuple(series) or trial.series, job["TrainingJobStatus"]
    finals = [one["Value"] for one in job.get("FinalMetricDataList", ()) if one["MetricName"] == metric]
    final = next(iter([*finals, *told[-1:]]), None)
    return replace(
        trial,
        status=status,
        started=job.get("TrainingStartTime", ""),
        ended=job.get("TrainingEndTime", "") if status in OVER else "",
        reason=job.get("FailureReason", "") if status == "Failed" else "",
        series=told,
        objective=final if status in ("Completed", "Stopped") else None,
    )


def best(plan: Plan, trials: Iterable[Trial]) -> Trial | None:
    """The trial with the best objective, the earlier of two that are equal.

    Values of objectives that are not compared the same way have no best one among them: the first definition's counts.
    """
    objective = plan.definitions[0].objective
    comparable = [one for one in trials if plan.definitions[one.definition].objective.type == objective.type]
    known = [(objective.loss(one.objective), one.number, one) for one in comparable if one.objective is not None]
    return min(known)[2] if known else None


def not_improving(plan: Plan, trials: Iterable[Trial]) -> int:
    """How many trials have ended since one was better by a notable share than all before."""
    ended = sorted((one for one in trials if one.has_succeeded), key=lambda one: (one.ended, one.number))
    lowest, since = None, 0
    for one in ended:
        assert one.objective is not None
        loss = plan.definitions[one.definition].objective.loss(one.objective)
        if lowest is None or loss < lowest - abs(lowest) * _IMPROVEMENT:
            lowest, since = loss, 0
        else:
            since += 1
    return since


def counters(trials: Sequence[Trial]) -> dict[str, dict[str, int]]:
    """TrainingJobStatusCounters and ObjectiveStatusCounters."""
    statuses, objectives = Counter(map(_status_counter, trials)), Counter(map(objective_status, trials))
    return {
        "TrainingJobStatusCounters": {name: statuses[name] for name in _STATUS_COUNTERS},
        "ObjectiveStatusCounters": {name: objectives[name] for name in ("Succeeded", "Pending", "Failed")},
    }


_STATUS_COUNTERS = ("Completed", "InProgress", "RetryableError", "NonRetryableError", "Stopped")


def _status_counter(trial: Trial) -> str:
    internal = trial.reason.startswith("InternalServerError")
    failed = "RetryableError" if internal else "NonRetryableError"
    return {"Completed": "Completed", "Stopped": "Stopped", "Failed": failed}.get(trial.status, "InProgress")


def objective_status(trial: Trial) -> str:
    """Whether a trial's objective is known, will be, or never."""
    if not trial.is_over:
        return "Pending"
    return "Succeeded" if trial.has_succeeded else "Failed"


def summary(plan: Plan, trial: Trial, arn: str) -> dict[str, Any]:
    """A trial as the service lists it."""
    definition = plan.definitions[trial.definition]
    objective = definition.objective
    final = {"Type": objective.type, "MetricName": objective.metric, "Value": trial.objective}
    return {
        "TrainingJobDefinitionName": definition.name or None,
        "TrainingJobName": trial.job,
        "TrainingJobArn": arn,
        "CreationTime": trial.created,
        "TrainingStartTime": trial.started or None,
        "TrainingEndTime": trial.ended or None,
        "TrainingJobStatus": trial.status,
        "TunedHyperParameters": trial.tuned,
        "FailureReason": trial.reason or None,
        "FinalHyperParameterTuningJobObjectiveMetric": final if trial.objective is not None else None,
        "ObjectiveStatus": objective_status(trial),
    }
