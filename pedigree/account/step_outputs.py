"""Reads what the steps of an execution have made: where it is in S3, metrics, models, registered versions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pedigree.account import jobs
from pedigree.account.account import Account

_SUCCEEDED = "Succeeded"
_RESOURCES: Mapping[str, str] = {
    "RegisterModel": "registered version",
    "Model": "model",
    "EndpointConfig": "endpoint configuration",
    "Endpoint": "endpoint",
}


@dataclass(frozen=True)
class StepOutput:
    """One result of a step: what it is, and its address or value."""

    step: str
    name: str
    value: str


def outputs(account: Account, arn: str) -> list[StepOutput]:
    """The results of the steps of an execution that succeeded, in their order."""
    steps = account.each(
        "sagemaker",
        "list_pipeline_execution_steps",
        "PipelineExecutionSteps",
        PipelineExecutionArn=arn,
        SortOrder="Ascending",
    )
    return [
        StepOutput(step["StepName"], name, value)
        for step in steps
        if step["StepStatus"] == _SUCCEEDED
        for name, value in _of_step(account, step.get("Metadata", {}))
    ]


def _of_step(account: Account, metadata: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    job = jobs.of_step(metadata)
    if job and job.kind in _JOBS:
        yield from _JOBS[job.kind](account, job.name)
    for kind, name in _RESOURCES.items():
        if kind in metadata:
            yield name, metadata[kind]["Arn"]
    for kind in ("Lambda", "Callback"):
        for parameter in metadata.get(kind, {}).get("OutputParameters", ()):
            yield parameter["Name"], str(parameter["Value"])


def _processing(account: Account, name: str) -> Iterator[tuple[str, str]]:
    answer = account.call("sagemaker", "describe_processing_job", ProcessingJobName=name)
    for output in answer.get("ProcessingOutputConfig", {}).get("Outputs", ()):
        if "S3Output" in output:
            yield output["OutputName"], output["S3Output"]["S3Uri"]


def _training(account: Account, name: str) -> Iterator[tuple[str, str]]:
    answer = account.call("sagemaker", "describe_training_job", TrainingJobName=name)
    if "ModelArtifacts" in answer:
        yield "model", answer["ModelArtifacts"]["S3ModelArtifacts"]
    for metric in answer.get("FinalMetricDataList", ()):
        yield metric["MetricName"], f"{metric['Value']:.6g}"


def _tuning(account: Account, name: str) -> Iterator[tuple[str, str]]:
    answer = account.call("sagemaker", "describe_hyper_parameter_tuning_job", HyperParameterTuningJobName=name)
    best = answer.get("BestTrainingJob", {}).get("TrainingJobName", "")
    if best:
        yield "best job", best
        yield from _training(account, best)


def _transform(account: Account, name: str) -> Iterator[tuple[str, str]]:
    answer = account.call("sagemaker", "describe_transform_job", TransformJobName=name)
    yield "predictions", answer["TransformOutput"]["S3OutputPath"]


_JOBS: Mapping[str, Callable[[Account, str], Iterator[tuple[str, Any]]]] = {
    "ProcessingJob": _processing,
    "TrainingJob": _training,
    "TuningJob": _tuning,
    "TransformJob": _transform,
}
