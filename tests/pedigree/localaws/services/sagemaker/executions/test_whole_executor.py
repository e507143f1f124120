"""Executions of a whole local AWS: many steps at once, each begun as soon as what it waits for has ended."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from pedigree.language.shapes import OPERATIONS
from pedigree.localaws.daemon import LocalAws
from pedigree.localaws.services.sagemaker.executions.steps.types import STEP_TYPES
from tests.support.lambda_functions import create_function
from tests.support.local_aws import client, running_local_aws
from tests.support.pipelines import ROLE, STATUS, definition, processing_step
from tests.support.waiting import until

NEVER_SECONDS = 3600.0
WIDE, LONG = 100, 30
HOLDS = {"Type": "Equals", "LeftValue": 1, "RightValue": 1}


@pytest.fixture(scope="module")
def flags(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that jobs and tests share."""
    return tmp_path_factory.mktemp("flags")


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory, flags: Path) -> Iterator[LocalAws]:
    """A local AWS whose executor only polls after a notification of a change."""
    folder = tmp_path_factory.mktemp("local")
    with running_local_aws(folder, poll_seconds=NEVER_SECONDS, mounts=(flags,)) as local:
        yield local


@pytest.fixture(scope="module")
def function(local: LocalAws) -> str:
    """A function that does nothing."""
    return create_function(local.url, "nothing", "def handler(event, context): return {}\n")


def call(name: str, function: str, *after: str) -> dict[str, Any]:
    return {"Name": name, "Type": "Lambda", "FunctionArn": function, "Arguments": {}, "DependsOn": list(after)}


def gate(name: str, *after: str) -> dict[str, Any]:
    arguments = {"Conditions": [HOLDS], "IfSteps": [], "ElseSteps": []}
    return {"Name": name, "Type": "Condition", "Arguments": arguments, "DependsOn": list(after)}


def ended(local: LocalAws, name: str, *steps: dict[str, Any], status: str = "Succeeded") -> str:
    """The execution of these steps, when it has ended so."""
    sagemaker = client(local.url, "sagemaker")
    sagemaker.create_pipeline(PipelineName=name, PipelineDefinition=definition(*steps), RoleArn=ROLE)
    arn = str(sagemaker.start_pipeline_execution(PipelineName=name)["PipelineExecutionArn"])
    until(lambda: sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)[STATUS], status)
    return arn


def steps(local: LocalAws, arn: str) -> dict[str, dict[str, Any]]:
    """The steps of an execution by name, in the order in which they were started."""
    pages = client(local.url, "sagemaker").get_paginator("list_pipeline_execution_steps")
    pages_of_steps = pages.paginate(PipelineExecutionArn=arn, SortOrder="Ascending", PaginationConfig={"PageSize": 37})
    return {step["StepName"]: step for page in pages_of_steps for step in page["PipelineExecutionSteps"]}


def test_a_hundred_steps_at_once_and_one_that_waits_for_all_of_them(local: LocalAws, function: str) -> None:
    wide = [call(f"Step{number}", function) for number in range(WIDE)]
    last = call("Last", function, *(step["Name"] for step in wide))
    found = steps(local, ended(local, "wide", last, *wide))
    assert list(found) == [*(step["Name"] for step in wide), "Last"]
    assert {step["StepStatus"] for step in found.values()} == {"Succeeded"}
    assert found["Last"]["StartTime"] >= max(found[step["Name"]]["EndTime"] for step in wide)


def test_no_step_waits_for_the_executors_timer(local: LocalAws, function: str) -> None:
    """Functions, conditions and jobs in a row, each of which ends without a call from outside."""
    row: list[dict[str, Any]] = []
    for number in range(0, LONG, 3):
        names = [f"Step{number + offset}" for offset in range(3)]
        before = [row[-1]["Name"]] if row else []
        row += [
            gate(names[0], *before),
            call(names[1], function, names[0]),
            processing_step(names[2], "true", after=names[1]),
        ]
    found = steps(local, ended(local, "row", *row))
    assert list(found) == [step["Name"] for step in row]


def test_a_failed_execution_continues_when_it_is_retried(local: LocalAws, function: str, flags: Path) -> None:
    flag = flags / "flag"
    once = processing_step("Once", "sh", "-c", f"test -e {flag} || {{ touch {flag}; exit 1; }}", after="First")
    arn = ended(local, "retried", call("First", function), once, call("Last", function, "Once"), status="Failed")
    first = steps(local, arn)["First"]
    sagemaker = client(local.url, "sagemaker")
    sagemaker.retry_pipeline_execution(PipelineExecutionArn=arn)
    until(lambda: sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)[STATUS], "Succeeded")
    assert list(steps(local, arn)) == ["First", "Once", "Last"]
    assert steps(local, arn)["First"] == first


def test_steps_that_cannot_run_here_are_refused_by_their_names_before_anything_runs(local: LocalAws) -> None:
    sagemaker, cluster = client(local.url, "sagemaker"), {"Name": "Crunch", "Type": "EMR", "Arguments": {}}
    written = definition(cluster, gate("Gate"))
    sagemaker.create_pipeline(PipelineName="foreign", PipelineDefinition=written, RoleArn=ROLE)
    with pytest.raises(ClientError, match=r"runs no steps of these types: Crunch \(EMR\)"):
        sagemaker.start_pipeline_execution(PipelineName="foreign")
    assert sagemaker.list_pipeline_executions(PipelineName="foreign")["PipelineExecutionSummaries"] == []


def test_every_step_that_is_a_request_to_sagemaker_can_be_run() -> None:
    assert set(OPERATIONS) <= set(STEP_TYPES)


def test_metrics_of_a_training_job_are_in_cloudwatch(local: LocalAws) -> None:
    client(local.url, "s3").create_bucket(Bucket="models")
    algorithm = {
        "TrainingImage": "image",
        "TrainingInputMode": "File",
        "ContainerEntrypoint": ["/bin/sh", "-c", "echo loss=3; echo loss=1"],
        "MetricDefinitions": [{"Name": "loss", "Regex": "loss=(.*)"}],
    }
    training = {
        "RoleArn": ROLE,
        "AlgorithmSpecification": algorithm,
        "OutputDataConfig": {"S3OutputPath": "s3://models/out"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
    }
    arn = ended(local, "told", {"Name": "Train", "Type": "Training", "Arguments": training})
    name = steps(local, arn)["Train"]["Metadata"]["TrainingJob"]["Arn"].rpartition("/")[2]
    now = dt.datetime.now(dt.timezone.utc)
    (point,) = client(local.url, "cloudwatch").get_metric_statistics(
        Namespace="/aws/sagemaker/TrainingJobs", MetricName="loss", Period=3600, Statistics=["Minimum", "Maximum"],
        Dimensions=[{"Name": "TrainingJobName", "Value": name}],
        StartTime=now - dt.timedelta(hours=1), EndTime=now + dt.timedelta(hours=1),
    )["Datapoints"]  # fmt: skip
    assert (point["Minimum"], point["Maximum"]) == (1.0, 3.0)
