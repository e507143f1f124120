"""What AWS said about definitions and parameters that it refused, word by word. P1 to P10 are the rows of that record.

A comment names where the words were published. They are AWS's words, so they stay as they are.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pedigree.checks.finding import Severity
from pedigree.checks.run import run
from pedigree.localaws.http.protocol.errors import InvalidRequestError, ServiceError
from tests.support import worlds
from tests.support.local_sagemaker import TOKEN, LocalSageMaker, function, training

ARN = f"arn:aws:sagemaker:us-east-1:{worlds.ACCOUNT}:pipeline/dogs"
PLACE = {"S3Uri": "s3://bucket/in", "LocalPath": "/opt/ml/processing/in", "S3DataType": "S3Prefix"}
COMPARED = {"Type": "Equals", "LeftValue": 1, "RightValue": 1}


@pytest.fixture
def sagemaker(tmp_path: Path) -> LocalSageMaker:
    return LocalSageMaker(tmp_path)


def create(sagemaker: LocalSageMaker, *steps: Any, token: str = "t") -> dict[str, Any]:
    text = json.dumps({"Version": "2020-12-01", "Steps": steps})
    request = {"PipelineName": "dogs", "PipelineDefinition": text, "RoleArn": worlds.ROLE}
    return sagemaker.service.answer("CreatePipeline", {**request, "ClientRequestToken": token * 32})


def step(kind: str, **arguments: Any) -> dict[str, Any]:
    return {"Name": "Step", "Type": kind, "Arguments": arguments}


def gate(name: str, *conditions: Any, **members: Any) -> dict[str, Any]:
    arguments = {"Conditions": list(conditions), "IfSteps": [], "ElseSteps": []}
    return {"Name": name, "Type": "Condition", "Arguments": arguments, **members}


REFUSED = {
    # a comment in a public pipeline
    "P2": (
        [step("Processing", ProcessingInputs=[{"InputName": "in", "S3Input": {**PLACE, "S3InputMode": "FastFile"}}])],
        "Model Validation failed: Value 'FastFile' for 'ProcessingS3InputMode' failed to satisfy enum value set: "
        "[Pipe, File]",
    ),
    # aws/sagemaker-python-sdk#2345
    "P3": ([step("Processing", AppSpecification={"ContainerArguments": "--all"})], "Expecting start of Json Array."),
    # aws/sagemaker-python-sdk#3908
    "P4": ([step("Training", OutputDataConfig="s3://bucket/out")], "Expecting start of Json Object."),
    # aws/sagemaker-python-sdk#2746
    "P5": (
        [gate("Gate", {"Type": "Not", "Expression": COMPARED})],
        "Cannot parse object, unknown property 'Expression'.",
    ),
    # aws/sagemaker-python-sdk#3472
    "P6": ([step("RegisterModel", ModelPackageName="mine")], "Unknown Argument member 'ModelPackageName'."),
    # aws/sagemaker-python-sdk, tests/integ/sagemaker/workflow/test_fail_steps.py
    "P7": (
        [{"Name": "FailStep", "Type": "Fail", "Arguments": {}}, gate("CondStep", COMPARED, DependsOn=["FailStep"])],
        "CondStep can not depends on FailStep",
    ),
}


@pytest.mark.parametrize("row", REFUSED)
def test_a_definition_is_refused(sagemaker: LocalSageMaker, row: str) -> None:
    steps, words = REFUSED[row]
    with pytest.raises(InvalidRequestError) as refused:
        create(sagemaker, *steps)
    assert refused.value.message == f"Unable to parse pipeline definition. {words}"


RULES = {"P2": "LIM007", "P3": "TYP001", "P4": "TYP001", "P5": "STR011", "P6": "LIM002", "P7": "STR015"}


@pytest.mark.parametrize("row", REFUSED)
def test_a_check_of_the_definition_says_so_before(row: str) -> None:
    found = run({"Version": "2020-12-01", "Steps": REFUSED[row][0]})
    assert (RULES[row], Severity.ERROR) in {(finding.code, finding.severity) for finding in found}


def test_a_type_of_machine_may_be_newer_than_the_model(sagemaker: LocalSageMaker) -> None:
    machines = {"InstanceType": "ml.new1.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
    assert create(sagemaker, step("Training", ResourceConfig=machines))["PipelineArn"] == ARN


NEAR_MISSES = {
    "P2": [step("Processing", ProcessingInputs=[{"InputName": "in", "S3Input": {**PLACE, "S3InputMode": "File"}}])],
    "P3": [step("Processing", AppSpecification={"ContainerArguments": ["--all", {"Get": "Execution.PipelineName"}]})],
    "P4": [step("Training", HyperParameters={"epochs": {"Get": "Execution.PipelineName"}}, Environment=None)],
    "P5": [gate("Gate", {"Type": "Not", "Condition": COMPARED}, {"Type": "Or", "Conditions": [COMPARED]})],
    "P6": [step("RegisterModel", ModelPackageGroupName="dogs")],
    "P7": [function("First"), gate("CondStep", COMPARED, DependsOn=["First"])],
}


@pytest.mark.parametrize("row", NEAR_MISSES)
def test_a_definition_without_that_fault_is_taken(sagemaker: LocalSageMaker, row: str) -> None:
    assert create(sagemaker, *NEAR_MISSES[row])["PipelineArn"] == ARN


def test_an_experiment_is_an_object_too(sagemaker: LocalSageMaker) -> None:
    text = json.dumps({"Version": "2020-12-01", "PipelineExperimentConfig": "mine", "Steps": []})
    request = {"PipelineName": "dogs", "PipelineDefinition": text, "RoleArn": worlds.ROLE, **TOKEN}
    with pytest.raises(InvalidRequestError, match=r"Expecting start of Json Object\."):
        sagemaker.service.answer("CreatePipeline", request)


def test_what_a_branch_has_is_read_as_well(sagemaker: LocalSageMaker) -> None:
    inner = gate("Gate", COMPARED)
    inner["Arguments"]["IfSteps"] = [step("Training", Colour="red")]
    with pytest.raises(InvalidRequestError, match=r"Unknown Argument member 'Colour'\."):
        create(sagemaker, inner)


# tloeber/sagemaker-pipelines-abstraction, a notebook's cell 5
def test_p1_a_name_can_be_taken_once(sagemaker: LocalSageMaker) -> None:
    create(sagemaker, function("Call"))
    with pytest.raises(InvalidRequestError) as refused:
        create(sagemaker, function("Call"), token="u")
    assert refused.value.message == (
        "Pipeline names must be unique within an AWS account and region. Pipeline with name (dogs) already exists."
    )


# aws/sagemaker-python-sdk#4016
def test_p8_a_text_parameter_cannot_be_empty(sagemaker: LocalSageMaker) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        sagemaker.start(training("Train"), parameters={"Kind": ""})
    assert refused.value.message == '[string "" is too short (length: 0, required minimum: 1)]'


# aws-controllers-k8s/sagemaker-controller, generator.yaml
@pytest.mark.parametrize(
    ("operation", "request_", "words"),
    [
        pytest.param("DescribePipeline", {"PipelineName": "dogs"}, f"Pipeline '{ARN}' does not exist.", id="P9"),
        pytest.param(
            "DescribePipelineExecution",
            {"PipelineExecutionArn": f"{ARN}/execution/abcdefghijkl"},
            f"Pipeline execution '{ARN}/execution/abcdefghijkl' does not exist.",
            id="P10",
        ),
    ],
)
def test_what_is_missing_does_not_exist(
    sagemaker: LocalSageMaker, operation: str, request_: dict[str, str], words: str
) -> None:
    with pytest.raises(ServiceError) as missing:
        sagemaker.service.answer(operation, request_)
    assert (missing.value.code, missing.value.message) == ("ResourceNotFound", words)
