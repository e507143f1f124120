"""A Cleanup step deletes what steps before it have written to S3, and says of which steps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.local_sagemaker import MODEL, LocalSageMaker, training

OUTPUT = {"Outputs": [{"OutputName": "train", "S3Output": {"S3Uri": "s3://bucket/prepared", "LocalPath": "/opt/ml/x"}}]}


@pytest.fixture
def sagemaker(tmp_path: Path) -> LocalSageMaker:
    return LocalSageMaker(tmp_path)


def clean(**source: Any) -> dict[str, Any]:
    arguments = {"Resources": {"S3": [{"StepName": "Before", **source}]}}
    depends_on = [{"Step": "Before", "Trigger": "Any"}]
    return {"Name": "Clean", "Type": "Cleanup", "Arguments": arguments, "DependsOn": depends_on}


def prepare() -> dict[str, Any]:
    return {"Name": "Before", "Type": "Processing", "Arguments": {"ProcessingOutputConfig": OUTPUT}}


def executed(sagemaker: LocalSageMaker, *steps: dict[str, Any], status: str = "Completed", **members: Any) -> str:
    arn = sagemaker.start(*steps)
    sagemaker.go(arn)
    sagemaker.end("Before", status, **members)
    sagemaker.go(arn)
    return arn


def cleaned(sagemaker: LocalSageMaker, arn: str) -> dict[str, Any]:
    return dict(sagemaker.steps(arn)["Clean"]["Metadata"]["Cleanup"])


def test_the_model_of_a_training_job_is_deleted(sagemaker: LocalSageMaker) -> None:
    arn = executed(sagemaker, training("Before"), clean(), **MODEL)
    assert sagemaker.deleted == ["s3://bucket/model.tar.gz"]
    assert cleaned(sagemaker, arn) == {"CleanedSteps": ["Before"], "SkippedSteps": [], "FailedSteps": []}
    assert sagemaker.statuses(arn)["Clean"] == "Succeeded"


def test_named_objects_of_a_processing_job_are_deleted(sagemaker: LocalSageMaker) -> None:
    named = {"Std:Join": {"On": "/", "Values": ["s3://bucket/prepared", {"Get": "Parameters.Epochs"}]}}
    executed(sagemaker, prepare(), clean(S3Uris=[named]))
    assert sagemaker.deleted == ["s3://bucket/prepared/3"]


def test_an_object_that_the_step_did_not_write_is_left(sagemaker: LocalSageMaker) -> None:
    arn = executed(sagemaker, prepare(), clean(S3Uris=["s3://bucket/prepared-by-others/x"]))
    assert sagemaker.deleted == []
    (failure,) = cleaned(sagemaker, arn)["FailedSteps"]
    assert (failure["StepName"], failure["ErrorCode"]) == ("Before", "ClientError")
    assert "is not under the output location of Before" in sagemaker.steps(arn)["Clean"]["FailureReason"]


def test_what_the_role_may_not_delete_fails_the_step(sagemaker: LocalSageMaker) -> None:
    arn = executed(sagemaker, training("Before"), clean(S3Uris=["s3://locked/x"]), **MODEL)
    assert sagemaker.statuses(arn)["Clean"] == "Failed"
    assert "Access Denied" in cleaned(sagemaker, arn)["FailedSteps"][0]["ErrorMessage"]


def test_a_step_without_outputs_is_skipped(sagemaker: LocalSageMaker) -> None:
    arn = executed(sagemaker, training("Before"), clean(), status="Failed", FailureReason="AlgorithmError: x")
    assert cleaned(sagemaker, arn) == {"CleanedSteps": [], "SkippedSteps": ["Before"], "FailedSteps": []}
