"""Trials: the training jobs of a search, their results, which is the best, and how they are counted."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from pedigree.localaws.services.sagemaker.tuning.plan import SearchPlan

OVER = ("Completed", "Failed", "Stopped")
# A value is an improvement if it is better by at least this share.
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
        return self.status in OVER

    @property
    def has_succeeded(self) -> bool:
        """Whether the trial ended without failing, even if early, and its objective is known."""
        return self.is_over and self.objective is not None

    def document(self) -> dict[str, Any]:
        """The trial in the store's form."""
        return {**asdict(self), "series": list(self.series)}


def read(document: Mapping[str, Any]) -> Trial:
    """A trial from its form in the store."""
    return Trial(**{**document, "series": tuple(document["series"])})


def job_name(search: str, created: str, number: int) -> str:
    """The name of a trial's job: always the same, and never one of another search."""
    digest = hashlib.sha256(f"{search} {created} {number}".encode()).hexdigest()[:_HASH]
    return f"{search}-{number:03d}-{digest}"


def followed(trial: Trial, job: Mapping[str, Any], metric: str, series: Sequence[float]) -> Trial:
    """A trial with the present state of its job, and the values of its objective so far."""
    values, status = tuple(series) or trial.series, job["TrainingJobStatus"]
    finals = [final["Value"] for final in job.get("FinalMetricDataList", ()) if final["MetricName"] == metric]
    final = next(iter([*finals, *values[-1:]]), None)
    return replace(
        trial,
        status=status,
        started=job.get("TrainingStartTime", ""),
        ended=job.get("TrainingEndTime", "") if status in OVER else "",
        reason=job.get("FailureReason", "") if status == "Failed" else "",
        series=values,
        objective=final if status in ("Completed", "Stopped") else None,
    )


def best(plan: SearchPlan, trials: Iterable[Trial]) -> Trial | None:
    """The trial with the best objective; of two equal ones, the earlier.

    Where definitions have different types of objectives, only those of the first definition's type are compared.
    """
    objective = plan.definitions[0].objective
    comparable = [trial for trial in trials if plan.definitions[trial.definition].objective.type == objective.type]
    losses = [
        (objective.loss(trial.objective), trial.number, trial) for trial in comparable if trial.objective is not None
    ]
    return min(losses)[2] if losses else None


def not_improving(plan: SearchPlan, trials: Iterable[Trial]) -> int:
    """How many trials have ended since the last improvement."""
    succeeded = (trial for trial in trials if trial.has_succeeded)
    lowest, since = None, 0
    for trial in sorted(succeeded, key=lambda trial: (trial.ended, trial.number)):
        assert trial.objective is not None
        loss = plan.definitions[trial.definition].objective.loss(trial.objective)
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
    """The ObjectiveStatus of a trial."""
    if not trial.is_over:
        return "Pending"
    return "Succeeded" if trial.has_succeeded else "Failed"


def summary(plan: SearchPlan, trial: Trial, arn: str) -> dict[str, Any]:
    """A trial in the form of the service's lists."""
    definition = plan.definitions[trial.definition]
    objective = definition.objective
    final = {"MetricName": objective.metric, "Value": trial.objective}
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
