"""Reads the results of an execution: its trials, its champion, and a test picture."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from pedigree.account.account import Account
from pedigree.account.errors import CallRefusedError
from pedigree.account.progress import ExecutionProgress, StepStatus
from steps import evaluate, prepare_data, tune

TEST = "test"
EVALUATION = "evaluation"
REPORT = "report.html"
_PICTURES = (".jpg", ".jpeg", ".png", ".webp")
_OURS = ("sagemaker_", "_tuning_objective_metric")


@dataclass(frozen=True)
class TrialResult:
    """One training of the tuning job: its values and its metric."""

    name: str
    status: str
    reached: float | None
    values: Mapping[str, str]


@dataclass(frozen=True)
class TrialResults:
    """All trainings of the tuning job, and the best of them."""

    metric: str
    all: tuple[TrialResult, ...]
    best: TrialResult | None


@dataclass(frozen=True)
class ChampionResult:
    """The candidate that won on the test pictures, the reason, and the report."""

    name: str
    reason: str
    accuracy: float
    accuracies: Mapping[str, float]
    pictures: int
    report: str


@dataclass(frozen=True)
class ExamplePicture:
    """A test picture: where it is, and what is on it."""

    address: str
    label: str


@dataclass(frozen=True)
class Results:
    """The results so far; None for what does not exist yet."""

    trials: TrialResults | None = None
    champion: ChampionResult | None = None
    picture: ExamplePicture | None = None
    notes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def results(account: Account, view: ExecutionProgress) -> Results:
    """The results of an execution's steps."""
    steps = {step.name: step for step in view.steps if step.status == "Succeeded"}
    return Results(
        trials=_trials(account, steps.get(tune.NAME)),
        champion=_champion(account, steps.get(evaluate.NAME)),
        picture=_picture(account, steps.get(prepare_data.NAME)),
        notes={step.name: step.notes for step in view.steps if step.notes},
    )


def fetched(account: Account, address: str) -> bytes:
    """The content of an object."""
    bucket, _, key = address.removeprefix("s3://").partition("/")
    return account.read("s3", "get_object", account.call("s3", "get_object", Bucket=bucket, Key=key)["Body"])


def _trials(account: Account, step: StepStatus | None) -> TrialResults | None:
    if step is None or step.job is None:
        return None
    named = {"HyperParameterTuningJobName": step.job.name}
    described = account.call("sagemaker", "describe_hyper_parameter_tuning_job", **named)
    listing = "list_training_jobs_for_hyper_parameter_tuning_job"
    trials = tuple(map(_trial, account.each("sagemaker", listing, "TrainingJobSummaries", **named)))
    best = described.get("BestTrainingJob", {}).get("TrainingJobName")
    objective = described["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]
    return TrialResults(objective["MetricName"], trials, next((trial for trial in trials if trial.name == best), None))


def _trial(job: Mapping[str, Any]) -> TrialResult:
    return TrialResult(
        name=job["TrainingJobName"],
        status=job["TrainingJobStatus"],
        reached=job.get("FinalHyperParameterTuningJobObjectiveMetric", {}).get("Value"),
        values={key: text for key, text in job["TunedHyperParameters"].items() if not key.startswith(_OURS)},
    )


def _champion(account: Account, step: StepStatus | None) -> ChampionResult | None:
    address = _output(account, step, EVALUATION)
    if not address:
        return None
    evaluation = _document(fetched(account, f"{address}/{EVALUATION}.json"), address)
    accuracies = {name: float(candidate["accuracy"]) for name, candidate in evaluation["candidates"].items()}
    name = evaluation["champion"]["name"]
    return ChampionResult(
        name,
        evaluation["champion"]["reason"],
        accuracies[name],
        accuracies,
        evaluation["dataset"]["item_count"],
        f"{address}/{REPORT}",
    )


def _document(content: bytes, address: str) -> Mapping[str, Any]:
    try:
        document: Mapping[str, Any] = json.loads(content)
    except ValueError:
        raise CallRefusedError(
            f"the evaluation in {address} is not JSON", f"look at the log of {evaluate.NAME}"
        ) from None
    return document


def _picture(account: Account, step: StepStatus | None) -> ExamplePicture | None:
    address = _output(account, step, TEST)
    bucket, _, prefix = address.removeprefix("s3://").partition("/")
    keys = _keys(account, bucket, prefix) if address else iter(())
    key = next((key for key in keys if key.lower().endswith(_PICTURES)), None)
    return ExamplePicture(f"s3://{bucket}/{key}", PurePosixPath(key).parent.name) if key else None


def _keys(account: Account, bucket: str, prefix: str) -> Iterator[str]:
    for item in account.each("s3", "list_objects_v2", "Contents", Bucket=bucket, Prefix=f"{prefix}/"):
        yield item["Key"]


def _output(account: Account, step: StepStatus | None, name: str) -> str:
    """The address of a processing job's output; empty if there is no such job."""
    if step is None or step.job is None:
        return ""
    job = account.call("sagemaker", "describe_processing_job", ProcessingJobName=step.job.name)
    outputs = job.get("ProcessingOutputConfig", {}).get("Outputs", ())
    address = next((output["S3Output"]["S3Uri"] for output in outputs if output["OutputName"] == name), "")
    return str(address).rstrip("/")
