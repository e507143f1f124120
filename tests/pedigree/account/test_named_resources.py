"""What a definition names in an account is found through its expressions."""

from __future__ import annotations

import json
from typing import Any

from pedigree.account import named_resources
from pedigree.account.named_resources import StepInput
from pedigree.language.defaults import with_values
from pedigree.language.definition import Definition, read

ROLE = "arn:aws:iam::111122223333:role/service-role/Owner"
EXECUTION = {"Get": "Execution.PipelineExecutionId"}


def address(*parts: Any) -> dict[str, Any]:
    return {"Std:Join": {"On": "/", "Values": list(parts)}}


def step(name: str, source: Any, target: Any, **more: Any) -> dict[str, Any]:
    arguments = {
        "RoleArn": {"Get": "Parameters.Role"},
        "ProcessingInputs": [{"InputName": "in", "S3Input": {"S3Uri": source}}],
        "ProcessingOutputConfig": {"Outputs": [{"OutputName": "out", "S3Output": {"S3Uri": target}}]},
    }
    return {"Name": name, "Type": "Processing", "Arguments": arguments, **more}


def definition(*steps: dict[str, Any]) -> Definition:
    parameters = [
        {"Name": "Role", "Type": "String", "DefaultValue": ROLE},
        {"Name": "Bucket", "Type": "String", "DefaultValue": "by-default"},
    ]
    return read({"Version": "2020-12-01", "Parameters": parameters, "Steps": list(steps)})


def test_roles_and_buckets_are_found_in_parameters_and_joins() -> None:
    found = definition(
        step("One", address("s3:/", {"Get": "Parameters.Bucket"}, "data"), address("s3://results", EXECUTION))
    )
    assert named_resources.roles(found) == [ROLE]
    assert named_resources.buckets(found) == ["by-default", "results"]
    assert named_resources.buckets(with_values(found, {"Bucket": "given"})) == ["given", "results"]


def test_an_input_is_what_no_step_writes() -> None:
    first = step("One", "s3://data/raw", "s3://data/clean")
    second = step("Two", "s3://data/clean/part", address("s3://data", EXECUTION))
    third = step("Three", address("s3://data", EXECUTION, "part"), "s3://data/end")
    fourth = step("Four", "s3://data/labels.csv", "s3://data/end")
    found = named_resources.inputs(definition(first, second, third, fourth))
    assert found == [StepInput("One", "s3://data/raw"), StepInput("Four", "s3://data/labels.csv")]


def test_what_only_a_branch_reads_is_no_input() -> None:
    branches = {"Conditions": [], "IfSteps": [step("Maybe", "s3://data/raw", "s3://data/x")], "ElseSteps": []}
    assert named_resources.inputs(definition({"Name": "If", "Type": "Condition", "Arguments": branches})) == []


def test_the_code_of_a_training_job_is_an_input() -> None:
    arguments = {"HyperParameters": {"sagemaker_submit_directory": json.dumps("s3://code/sourcedir.tar.gz")}}
    train = {"Name": "Train", "Type": "Training", "Arguments": arguments}
    assert named_resources.inputs(definition(train)) == [StepInput("Train", "s3://code/sourcedir.tar.gz")]


def test_arns_and_queues_of_other_accounts_are_moved_and_images_are_not() -> None:
    text = (
        f'"{ROLE}" "arn:aws:lambda:eu-west-1:111122223333:function:f" "arn:aws:sagemaker:us-east-1:aws:x"'
        ' "https://sqs.us-east-1.amazonaws.com/111122223333/q" "111122223333.dkr.ecr.us-east-1.amazonaws.com/image:1"'
    )
    moved = named_resources.in_account(text, "123456789012")
    assert named_resources.foreign_accounts(text, "123456789012") == ["111122223333"]
    assert moved.count("123456789012") == 3
    assert "111122223333.dkr.ecr" in moved
