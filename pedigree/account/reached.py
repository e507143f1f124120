"""What a training or a search has reached so far: the numbers that one follows an execution for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pedigree.account.account import Account
from pedigree.account.errors import OperationsError
from pedigree.account.jobs import Job

_FOLLOWED = "validation:"


def reached(job: Job, account: Account) -> tuple[str, ...]:
    """The numbers of a job, or why they cannot be had; nothing for jobs that have none."""
    ask = _KINDS.get(job.kind)
    try:
        return tuple(ask(job.name, account)) if ask else ()
    except OperationsError as error:
        return (f"what it has reached cannot be read: {error}",)


def _of_training(name: str, account: Account) -> Iterator[str]:
    told = account.call("sagemaker", "describe_training_job", TrainingJobName=name)
    for metric in told.get("FinalMetricDataList", ()):
        if metric["MetricName"].startswith(_FOLLOWED):
            yield f"{metric['MetricName']} {metric['Value']:.4g}"


def _of_search(name: str, account: Account) -> Iterator[str]:
    named = {"HyperParameterTuningJobName": name}
    told = account.call("sagemaker", "describe_hyper_parameter_tuning_job", **named)
    limits = told["HyperParameterTuningJobConfig"]["ResourceLimits"]
    counters: Mapping[str, Any] = told.get("TrainingJobStatusCounters", {})
    over = sum(counters.get(state, 0) for state in ("Completed", "Stopped", "NonRetryableError"))
    yield f"{over} of {limits['MaxNumberOfTrainingJobs']} trials"
    best = told.get("BestTrainingJob", {}).get("FinalHyperParameterTuningJobObjectiveMetric")
    if best:
        yield f"best {best['MetricName']} {best['Value']:.4g}"


_KINDS: Mapping[str, Callable[[str, Account], Iterator[str]]] = {
    "TrainingJob": _of_training,
    "TuningJob": _of_search,
}
