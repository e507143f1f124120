"""Every member of a step may be an expression, or of a wrong type: it is refused or fails the step, and is no crash."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from pedigree.language.definition import STEP_TYPES
from pedigree.localaws.http.protocol.errors import InvalidRequestError
from pedigree.localaws.services.sagemaker.executions.steps.types import STEP_TYPES as RUNNABLE
from tests.support.local_sagemaker import LocalSageMaker, function, waiting

VALUES: tuple[Any, ...] = (
    {"Get": "Parameters.Epochs"},
    {"Get": "Execution.PipelineName"},
    {"Get": "Execution.TrainingJobName"},
    {"Std:Join": {"On": "/", "Values": ["a", {"Get": "Parameters.Epochs"}]}},
    {"Std:JsonGet": {"S3Uri": {"Get": "Parameters.Epochs"}, "Path": "a"}},
    {"Get": "Nothing"},
    *(5, "", None, [], {"a": 1}),
)
MEMBERS = (
    *("SqsQueueUrl", "FunctionArn", "TimeoutInSeconds", "Arguments", "DependsOn", "CacheConfig", "RetryPolicies"),
    *("PropertyFiles", "OutputParameters", "ClusterId", "StepConfig", "CheckType", "QualityCheckConfig"),
)
CHECK = {"Name": "Check", "Type": "QualityCheck", "Arguments": {}, "CheckType": "DATA_QUALITY"}


@pytest.mark.parametrize("kind", [*STEP_TYPES, "Nonsense"])
def test_no_member_of_any_step_crashes(kind: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    sagemaker = LocalSageMaker(tmp_path)
    for number, (member, value) in enumerate((member, value) for member in MEMBERS for value in VALUES):
        step = {"Name": f"S{number}", "Type": kind, "Arguments": {}, member: value}
        sagemaker.refusals = [InvalidRequestError("the job lacks everything")]
        try:
            arn = sagemaker.start(step)
        except InvalidRequestError:
            continue
        sagemaker.go(arn)
        assert "Internal failure" not in sagemaker.described(arn).get("FailureReason", "")
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


@pytest.mark.parametrize("kind", sorted({*STEP_TYPES} - {*RUNNABLE}))
@pytest.mark.parametrize("member", ["CalculatedBaselineConstraints", "A['b'].C[0]"])
def test_a_reference_to_a_step_that_cannot_run_is_no_mistake(kind: str, member: str, tmp_path: Path) -> None:
    message = {"Get": f"Steps.Check.{member}"}
    failing = {"Name": "Say", "Type": "Fail", "Arguments": {"ErrorMessage": message}}
    with pytest.raises(InvalidRequestError, match=rf"runs no steps of these types: Check \({kind}\)\."):
        LocalSageMaker(tmp_path).start({**CHECK, "Type": kind}, failing)


@pytest.mark.parametrize("image", ["image", {"Get": "Parameters.Kind"}])
def test_a_processing_step_without_an_entrypoint_is_refused_at_the_start(image: Any, tmp_path: Path) -> None:
    application = {"ImageUri": image, "ContainerArguments": ["--input", "x"]}
    step = {"Name": "Prepare", "Type": "Processing", "Arguments": {"AppSpecification": application}}
    with pytest.raises(InvalidRequestError, match=r"Step Prepare: AppSpecification has no ContainerEntrypoint"):
        LocalSageMaker(tmp_path).start(step)


JOINED = {"Std:Join": {"On": "/", "Values": ["http://queues", {"Get": "Parameters.Kind"}]}}


@pytest.mark.parametrize(
    ("queue", "meant"),
    [
        (JOINED, "http://queues/a"),
        ({"Get": "Parameters.Kind"}, "a"),
        ({"Get": "Steps.Find.OutputParameters['queue']"}, "http://found"),
    ],
)
def test_a_queue_that_an_expression_names_gets_the_message(queue: Any, meant: str, tmp_path: Path) -> None:
    sagemaker = LocalSageMaker(tmp_path)
    sagemaker.returns["Find"] = {"queue": "http://found"}
    arn = sagemaker.start(function("Find", "queue"), {**waiting(), "SqsQueueUrl": queue})
    assert sagemaker.go(arn) == "Executing"
    step = sagemaker.steps(arn)["Wait"]
    assert step["Metadata"]["Callback"]["SqsQueueUrl"] == meant
    assert [message["status"] for message in sagemaker.messages] == ["Executing"]


def test_a_function_that_an_expression_names_is_invoked(tmp_path: Path) -> None:
    sagemaker = LocalSageMaker(tmp_path)
    name = {"Std:Join": {"On": "-", "Values": ["deploy", "it"]}}
    sagemaker.returns["deploy-it"] = {}
    arn = sagemaker.start({**function("Deploy"), "FunctionArn": name, "TimeoutInSeconds": {"Get": "Parameters.Epochs"}})
    assert sagemaker.go(arn) == "Succeeded"
