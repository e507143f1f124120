"""Answers of AWS that notebooks recorded, member by member: what an answer has, and what it leaves out.

Members that the service has had since are named NEWER. A comment names the notebook.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.endpoints import ROLE, model_archive
from tests.support.local_aws import client, running_local_aws
from tests.support.local_sagemaker import MODEL, LocalSageMaker, training
from tests.support.local_tuning import LETTERS, LocalTuning
from tests.support.transform_jobs import JOB
from tests.support.waiting import until

EXECUTION = {
    *("PipelineArn", "PipelineExecutionArn", "PipelineExecutionDisplayName", "PipelineExecutionStatus"),
    *("CreationTime", "LastModifiedTime", "CreatedBy", "LastModifiedBy"),
}
NEWER = {"RoleArn", "PipelineVersionId", "PipelineVersionAliases"}
STEP = {"StepName", "StartTime", "EndTime", "StepStatus", "AttemptCount", "Metadata"}


@pytest.fixture
def sagemaker(tmp_path: Path) -> LocalSageMaker:
    return LocalSageMaker(tmp_path)


# aws/amazon-sagemaker-examples, ml_ops/sm-pipelines_preprocess_train_evaluate_batch_transform, cell 64
def test_an_execution_that_has_just_begun(sagemaker: LocalSageMaker) -> None:
    execution = sagemaker.described(sagemaker.start(training("Train")))
    assert set(execution) == EXECUTION | NEWER
    assert re.fullmatch(r"execution-\d{13}", execution["PipelineExecutionDisplayName"])
    assert execution["LastModifiedTime"] == execution["CreationTime"]
    assert (execution["CreatedBy"], execution["LastModifiedBy"]) == ({}, {})


# the same notebook, cell 68, and archived/bedrock-examples, cell 20
def test_the_steps_of_an_execution(sagemaker: LocalSageMaker) -> None:
    condition = {"Type": "Equals", "LeftValue": 1, "RightValue": 1}
    container = {"Image": "image"}
    after = {"DependsOn": ["AbaloneMSECond"]}
    arn = sagemaker.start(
        {"Name": "AbaloneProcess", "Type": "Processing", "Arguments": {}},
        {**training("AbaloneTrain"), "DependsOn": ["AbaloneProcess"], "DisplayName": "train"},
        {
            "Name": "AbaloneMSECond",
            "Type": "Condition",
            "Arguments": {"Conditions": [condition], "IfSteps": [], "ElseSteps": []},
            "DependsOn": ["AbaloneTrain"],
        },
        {
            "Name": "Create",
            "Type": "Model",
            "Arguments": {"PrimaryContainer": container, "ExecutionRoleArn": ROLE},
            **after,
        },
        {"Name": "Register", "Type": "RegisterModel", "Arguments": {"ModelPackageGroupName": "abalone"}, **after},
    )
    for step in ("AbaloneProcess", "AbaloneTrain"):
        sagemaker.go(arn)
        sagemaker.end(step, **MODEL)
    assert sagemaker.go(arn) == "Succeeded"
    steps = sagemaker.steps(arn)
    assert {name: set(step) for name, step in steps.items()} == {
        **dict.fromkeys(("AbaloneProcess", "AbaloneMSECond", "Create", "Register"), STEP),
        "AbaloneTrain": {*STEP, "StepDisplayName"},
    }
    assert {name: next(iter(step["Metadata"])) for name, step in steps.items()} == {
        "AbaloneProcess": "ProcessingJob",
        "AbaloneTrain": "TrainingJob",
        "AbaloneMSECond": "Condition",
        "Create": "Model",
        "Register": "RegisterModel",
    }
    assert {step["AttemptCount"] for step in steps.values()} == {1}
    execution_id = arn.rpartition("/")[2]
    made = steps["Create"]["Metadata"]["Model"]["Arn"].rpartition("/")[2]
    assert re.fullmatch(rf"pipelines-{execution_id}-Create-[0-9a-z]{{10}}", made)
    assert steps["Register"]["Metadata"]["RegisterModel"]["Arn"].endswith(":model-package/abalone/1")


# the same notebook, cell 81
def test_a_step_that_failed(sagemaker: LocalSageMaker) -> None:
    message = "Execution failed due to MSE > 3.0"
    arn = sagemaker.start({"Name": "AbaloneMSEFail", "Type": "Fail", "Arguments": {"ErrorMessage": message}})
    sagemaker.go(arn)
    step = sagemaker.steps(arn)["AbaloneMSEFail"]
    assert set(step) == {*STEP, "FailureReason"}
    assert (step["FailureReason"], step["Metadata"]) == (message, {"Fail": {"ErrorMessage": message}})
    assert set(sagemaker.described(arn)) == EXECUTION | NEWER | {"FailureReason"}


@pytest.fixture
def transformed(tmp_path: Path) -> Iterator[Any]:
    """A client of a local AWS in which a transform job has ended."""
    with running_local_aws(tmp_path) as local:
        s3, sagemaker = client(local.url, "s3"), client(local.url, "sagemaker")
        s3.create_bucket(Bucket="bucket")
        s3.put_object(Bucket="bucket", Key="model", Body=model_archive("v1"))
        s3.put_object(Bucket="bucket", Key="in/a", Body=b"x")
        container = {"Image": "image", "ModelDataUrl": "s3://bucket/model"}
        sagemaker.create_model(ModelName="model", PrimaryContainer=container, ExecutionRoleArn=ROLE)
        sagemaker.create_transform_job(**JOB)
        until(lambda: sagemaker.describe_transform_job(TransformJobName="job")["TransformJobStatus"] != "InProgress")
        yield sagemaker


# aws/amazon-sagemaker-examples, deploy_and_monitor/sm-batch_transform_pytorch, cells 27, 32 and 33
def test_a_transform_job(transformed: Any) -> None:
    described = transformed.describe_transform_job(TransformJobName="job")
    (listed,) = transformed.list_transform_jobs()["TransformJobSummaries"]
    ended = {"TransformEndTime", *({"FailureReason"} if described["TransformJobStatus"] == "Failed" else ())}
    named = {"TransformJobName", "TransformJobArn", "TransformJobStatus", "CreationTime", *ended}
    asked = {"ModelName", "TransformInput", "TransformOutput", "TransformResources", "DataProcessing"}
    assert set(described) - {"ResponseMetadata"} == {*named, *asked, "TransformStartTime"}
    assert set(listed) == {*named, "LastModifiedTime"}


@pytest.fixture
def tuning(tmp_path: Path) -> Iterator[LocalTuning]:
    opened = LocalTuning(tmp_path)
    opened.open()
    yield opened
    opened.close()


# aws-samples/customer-churn-sagemaker-pipelines-sample, Customer_Churn_Modeling.ipynb, cell 29
def test_the_best_training_job_of_a_search(tuning: LocalTuning) -> None:
    tuning.search(Strategy="Grid", trials=None, ParameterRanges=LETTERS)
    found = tuning.ended()["BestTrainingJob"]
    assert set(found) == {
        *("CreationTime", "FinalHyperParameterTuningJobObjectiveMetric", "ObjectiveStatus", "TrainingEndTime"),
        *("TrainingJobArn", "TrainingJobName", "TrainingJobStatus", "TrainingStartTime", "TunedHyperParameters"),
    }
    assert found["FinalHyperParameterTuningJobObjectiveMetric"] == {"MetricName": "loss", "Value": 1.0}
    assert found["TunedHyperParameters"] == {"x": "1"}
    assert re.fullmatch(r"search-\d{3}-[0-9a-f]{8}", found["TrainingJobName"])
