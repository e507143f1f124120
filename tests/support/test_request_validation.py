"""The validation of requests by botocore, with which tests judge the pipeline's steps: one line for each problem."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from pedigree.language.defaults import with_defaults
from pedigree.language.definition import read
from tests.support import request_validation
from tests.support.definitions import define

Change = Callable[[dict[str, Any]], object]
EPOCHS = {"Get": "Parameters.Epochs"}


def test_our_requests_have_no_problems() -> None:
    assert not list(request_validation.problems(read(define())))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda request: request.pop("RoleArn"), 'Missing required parameter in input: "RoleArn"'),
        (lambda request: request.update(Role="x"), "CreateProcessingJobRequest has no member Role; remove it"),
        (
            lambda request: request["NetworkConfig"].update(Isolated=True),
            "NetworkConfig has no member Isolated; remove it",
        ),
        (
            lambda request: request["StoppingCondition"].update(MaxRuntimeInSeconds="600"),
            "Invalid type for parameter StoppingCondition.MaxRuntimeInSeconds, value: 600, "
            "type: <class 'str'>, valid types: <class 'int'>",
        ),
        (
            lambda request: request["ProcessingResources"]["ClusterConfig"].update(VolumeSizeInGB=0),
            "Invalid value for parameter ProcessingResources.ClusterConfig.VolumeSizeInGB, value: 0, "
            "valid min value: 1",
        ),
        (
            lambda request: request["Environment"].update(EPOCHS=EPOCHS),
            "Environment.EPOCHS takes String and is given Integer; join it with nothing to make it text",
        ),
        (
            lambda request: request["StoppingCondition"].update(MaxRuntimeInSeconds={"Get": "Parameters.InputDataUrl"}),
            "StoppingCondition.MaxRuntimeInSeconds takes Integer and is given String; refer to another value",
        ),
    ],
)
def test_a_problem_is_reported(change: Change, problem: str) -> None:
    document = copy.deepcopy(define())
    change(document["Steps"][0]["Arguments"])
    assert f"PrepareData: {problem}" in list(request_validation.problems(read(document)))


def test_what_only_an_execution_knows_is_no_problem() -> None:
    document = copy.deepcopy(define())
    request = document["Steps"][0]["Arguments"]
    request["Environment"]["JOINED"] = {"Std:Join": {"On": "", "Values": [EPOCHS]}}
    request["StoppingCondition"]["MaxRuntimeInSeconds"] = EPOCHS
    assert not list(request_validation.problems(read(document)))


def test_defaults_stand_in_for_parameters() -> None:
    definition = read(define())
    joined = {"Std:Join": {"On": "/", "Values": ["s3:/", {"Get": "Parameters.EndpointName"}, EPOCHS]}}
    assert with_defaults(definition, {"a": [joined, {"Get": "Execution.PipelineName"}]}) == {
        "a": ["s3://dog-breeds/50", {"Get": "Execution.PipelineName"}]
    }
