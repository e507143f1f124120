"""Each change of the status of an execution, a step or a job is an event, in SageMaker's form."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pedigree.localaws.services.sagemaker.jobs.events import job_changed
from tests.support import worlds
from tests.support.local_sagemaker import LocalSageMaker

TRAIN: dict[str, Any] = {"Name": "Train", "Type": "Training", "Arguments": {"HyperParameters": {}}}
PIPELINE = f"arn:aws:sagemaker:us-east-1:{worlds.ACCOUNT}:pipeline/dogs"
EXECUTION, STEP = (
    f"SageMaker Model Building Pipeline Execution {what}" for what in ("Status Change", "Step Status Change")
)


def published(sagemaker: LocalSageMaker, detail_type: str) -> list[dict[str, Any]]:
    """A list that grows with each published event of one type."""
    events: list[dict[str, Any]] = []

    def record(event: Any) -> None:
        if event["detail-type"] == detail_type:
            events.append(event)

    sagemaker.world.bus.subscribe(record)
    return events


def test_an_executions_start_and_end_are_events(tmp_path: Path) -> None:
    sagemaker = LocalSageMaker(tmp_path)
    events = published(sagemaker, EXECUTION)
    arn = sagemaker.start(TRAIN, PipelineExecutionDisplayName="mine")
    sagemaker.go(arn)
    sagemaker.end("Train")
    assert sagemaker.go(arn) == "Succeeded"
    began, ended = (event["detail"] for event in events)
    assert events[0]["resources"] == [PIPELINE, arn]
    assert began == {
        "pipelineExecutionDisplayName": "mine",
        "currentPipelineExecutionStatus": "Executing",
        "executionStartTime": "2026-01-01T00:00:00Z",
        "pipelineArn": PIPELINE,
        "pipelineExecutionArn": arn,
    }
    changed = {"currentPipelineExecutionStatus": "Succeeded", "previousPipelineExecutionStatus": "Executing"}
    assert ended == {**began, **changed, "executionEndTime": "2026-01-01T00:00:00Z"}


def test_a_stop_and_a_retry_are_events(tmp_path: Path) -> None:
    sagemaker = LocalSageMaker(tmp_path)
    events = published(sagemaker, EXECUTION)
    arn = sagemaker.start(TRAIN)
    sagemaker.go(arn)
    token = {"ClientRequestToken": "t" * 32}
    sagemaker.service.answer("StopPipelineExecution", {"PipelineExecutionArn": arn, **token})
    assert sagemaker.go(arn) == "Stopped"
    sagemaker.service.answer("RetryPipelineExecution", {"PipelineExecutionArn": arn, **token})
    statuses = [event["detail"]["currentPipelineExecutionStatus"] for event in events]
    assert statuses == ["Executing", "Stopping", "Stopped", "Executing"]


def test_every_change_of_a_step_is_an_event_with_its_job(tmp_path: Path) -> None:
    sagemaker = LocalSageMaker(tmp_path)
    events = published(sagemaker, STEP)
    arn = sagemaker.start(TRAIN)
    sagemaker.go(arn)
    sagemaker.end("Train", "Failed", FailureReason="AlgorithmError: out of memory")
    sagemaker.go(arn)
    details = [event["detail"] for event in events]
    assert [(detail.get("previousStepStatus"), detail["currentStepStatus"]) for detail in details] == [
        (None, "Starting"),
        ("Starting", "Executing"),
        ("Executing", "Failed"),
    ]
    last = details[-1]
    assert (last["stepName"], last["stepType"], last["pipelineExecutionArn"]) == ("Train", "Training", arn)
    assert last["failureReason"] == "ClientError: AlgorithmError: out of memory"
    assert last["metadata"]["trainingJob"]["arn"].startswith("arn:pipelines-")
    assert last["stepEndTime"] == "2026-01-01T00:00:00Z"


def test_a_jobs_event_has_its_description_and_comes_only_with_a_new_status(tmp_path: Path) -> None:
    sagemaker = LocalSageMaker(tmp_path)
    events = published(sagemaker, "SageMaker Training Job State Change")
    job = {
        "TrainingJobName": "job",
        "TrainingJobArn": "arn:job",
        "TrainingJobStatus": "InProgress",
        "SecondaryStatus": "Training",
        "CreationTime": "2026-01-01T00:00:01.500+00:00",
        "_outcome": "private",
    }
    job_changed(sagemaker.world, "training-job", job)
    job_changed(sagemaker.world, "training-job", {**job, "FailureReason": "later"}, job)
    job_changed(sagemaker.world, "training-job", {**job, "SecondaryStatus": "Uploading"}, job)
    assert [event["detail"]["SecondaryStatus"] for event in events] == ["Training", "Uploading"]
    assert events[0]["resources"] == ["arn:job"]
    public = {name: value for name, value in job.items() if not name.startswith("_")}
    assert events[0]["detail"] == {**public, "CreationTime": 1767225601500, "Tags": {}}


def test_events_of_tuning_and_transform_jobs_have_their_own_titles(tmp_path: Path) -> None:
    sagemaker = LocalSageMaker(tmp_path)
    searches = published(sagemaker, "SageMaker HyperParameter Tuning Job State Change")
    transforms = published(sagemaker, "SageMaker Transform Job State Change")
    search = {"HyperParameterTuningJobArn": "arn:search", "HyperParameterTuningJobStatus": "InProgress"}
    job_changed(sagemaker.world, "tuning-job", search)
    transform = {"TransformJobArn": "arn:transform", "TransformJobStatus": "Completed"}
    job_changed(sagemaker.world, "transform-job", transform, {**transform, "TransformJobStatus": "InProgress"})
    assert searches[0]["detail"] == {**search, "Tags": {}}
    assert transforms[0]["detail"] == {**transform, "Tags": {}}
