"""Reads the metrics of a training or tuning job so far."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pedigree.account.account import Account
from pedigree.account.errors import OperationsError
from pedigree.account.jobs import Job

_FOLLOWED = "validation:"


def metrics(job: Job, account: Account) -> tuple[str, ...]:
    """The metrics of a job, or why they cannot be read."""
    ask = _KINDS.get(job.kind)
    try:
        return tuple(ask(job.name, account)) if ask else ()
    except OperationsError as error:
        return (f"its metrics cannot be read: {error}",)


def _of_training(name: str, account: Account) -> Iterator[str]:
    answer = account.call("sagemaker", "describe_training_job", TrainingJobName=name)
    for metric in answer.get("FinalMetricDataList", ()):
        if metric["MetricName"].startswith(_FOLLOWED):
            yield f"{metric['MetricName']} {metric['Value']:.4g}"


def _of_search(name: str, account: Account) -> Iterator[str]:
    named = {"HyperParameterTuningJobName": name}
    answer = account.call("sagemaker", "describe_hyper_parameter_tuning_job", **named)
    limits = answer["HyperParameterTuningJobConfig"]["ResourceLimits"]
    counters: Mapping[str, Any] = answer.get("TrainingJobStatusCounters", {})
    over = sum(counters.get(state, 0) for state in ("Completed", "Stopped", "NonRetryableError"))
    yield f"{over} of {limits['MaxNumberOfTrainingJobs']} trials"
    best = answer.get("BestTrainingJob", {}).get("FinalHyperParameterTuningJobObjectiveMetric")
    if best:
        yield f"best {best['MetricName']} {best['Value']:.4g}"


_KINDS: Mapping[str, Callable[[str, Account], Iterator[str]]] = {
    "TrainingJob": _of_training,
    "TuningJob": _of_search,
}
