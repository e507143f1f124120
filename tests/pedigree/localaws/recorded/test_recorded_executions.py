"""What AWS said about executions and their steps, word by word. P11 to P28 are the rows of that record.

A comment names where the words were published: an issue, a notebook's stored output, or a test that its owners run
against AWS. They are AWS's words, so they stay as they are. P15 (`Error Details: null`) is a fault of the service that
follows from nothing, and P26 has the words of a client.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pedigree.localaws.http.protocol.errors import AccessDeniedError, InvalidRequestError, ServiceError
from tests.support import worlds
from tests.support.local_sagemaker import MODEL, TOKEN, LocalSageMaker, function, training

STEPS_FAILED = "Step failure: One or multiple steps failed."
NO_MACHINE = "The requested resource training-job/ml.t3.medium is not available in this region"
NO_QUOTA = (
    "The account-level service limit 'ml.m5.large for processing job usage' is 0 Instances, with current utilization of"
    " 0 Instances and a request delta of 1 Instances. Please contact AWS support to request an increase for this limit."
)
NO_TAGS = (
    "User: arn:aws:sts::000000000000:assumed-role/pipeline/sagemaker-pipeline-x-Preprocess is not authorized to"
    " perform: sagemaker:AddTags on resource: arn:aws:sagemaker:us-east-1:000000000000:processing-job/pipelines-x-Pre-y"
    " because no identity-based policy allows the sagemaker:AddTags action"
)
NO_ARTIFACT = "Access denied for bucket: artifacts, object key: v1/model.tar.gz"


@pytest.fixture
def sagemaker(tmp_path: Path) -> LocalSageMaker:
    return LocalSageMaker(tmp_path)


def processing(name: str) -> dict[str, Any]:
    return {"Name": name, "Type": "Processing", "Arguments": {}}


def gate(name: str, *steps: dict[str, Any], holds: bool) -> dict[str, Any]:
    condition = {"Type": "Equals", "LeftValue": 1, "RightValue": 1 if holds else 2}
    arguments = {"Conditions": [condition], "IfSteps": [], "ElseSteps": list(steps)}
    return {"Name": name, "Type": "Condition", "Arguments": arguments}


def failing(name: str, message: Any) -> dict[str, Any]:
    return {"Name": name, "Type": "Fail", "Arguments": {} if message is None else {"ErrorMessage": message}}


# aws/sagemaker-python-sdk, tests/integ/sagemaker/workflow/test_fail_steps.py
def test_p11_a_failed_execution_names_no_step(sagemaker: LocalSageMaker) -> None:
    for steps in ([failing("No", "MSE is too high")], [processing("Work")]):
        sagemaker.refusals = [InvalidRequestError("no")]
        arn = sagemaker.start(*steps)
        assert sagemaker.go(arn) == "Failed"
        assert sagemaker.described(arn)["FailureReason"] == STEPS_FAILED
        listed = sagemaker.service.answer("ListPipelineExecutions", {"PipelineName": "dogs"})
        assert listed["PipelineExecutionSummaries"][0]["PipelineExecutionFailureReason"] == STEPS_FAILED


def not_retried(step: str) -> str:
    return (
        "Retry not appropriate on execution of step with PipelineExecutionArn {arn} and "
        f"StepId {step}. No retry policy configured for the exception type SAGEMAKER_RESOURCE_LIMIT."
    )


@pytest.mark.parametrize(
    ("step", "refusal", "words"),
    [
        pytest.param(
            training("XGBoostTrainingStep"),
            ServiceError("ResourceLimitExceeded", NO_MACHINE),
            f"ClientError: Failed to invoke sagemaker:CreateTrainingJob. Error Details: {NO_MACHINE}\n"
            f"{not_retried('XGBoostTrainingStep')}",
            id="P12",  # yucigou/sagemaker-pipeline, CLI output of 2024
        ),
        pytest.param(
            processing("PreProcess"),
            ServiceError("ResourceLimitExceeded", NO_QUOTA),
            f"ClientError: Failed to invoke sagemaker:CreateProcessingJob. Error Details: {NO_QUOTA}\n"
            f"{not_retried('PreProcess')}",
            id="P13",  # a report of 2023
        ),
        pytest.param(
            processing("Preprocess"),
            AccessDeniedError(NO_TAGS),
            f"ClientError: Failed to invoke sagemaker:CreateProcessingJob. {NO_TAGS}",
            id="P14",  # a log of 2026
        ),
        pytest.param(
            training("Train"),
            InvalidRequestError("Cannot use both 'Pipe' and 'FastFile' TrainingInputMode on the same Training Job."),
            "ClientError: Failed to invoke sagemaker:CreateTrainingJob. Error Details: Cannot use both 'Pipe' and "
            "'FastFile' TrainingInputMode on the same Training Job.",
            id="P17",  # a comment in a public pipeline
        ),
    ],
)
def test_a_step_says_which_call_was_refused(
    sagemaker: LocalSageMaker, step: dict[str, Any], refusal: ServiceError, words: str
) -> None:
    sagemaker.refusals = [refusal]
    arn = sagemaker.start(step)
    assert sagemaker.go(arn) == "Failed"
    failed = sagemaker.steps(arn)[step["Name"]]
    assert failed["FailureReason"] == words.format(arn=arn.lower())
    assert (failed["Metadata"], failed["AttemptCount"]) == ({}, 1)


@pytest.mark.parametrize(
    "reason",
    [
        # edumunozsala/sagemaker-pipeline-text-classification, the deploying notebook, cell 53
        pytest.param("ClientError: S3 key: s3://b/data/batch matched no files on s3", id="P18"),
        # aws/sagemaker-python-sdk, tests/integ/sagemaker/workflow/test_step_decorator.py
        pytest.param("AlgorithmError: RuntimeError('no')", id="P19"),
    ],
)
def test_a_step_says_why_its_job_failed(sagemaker: LocalSageMaker, reason: str) -> None:
    arn = sagemaker.start(training("Train"))
    sagemaker.go(arn)
    sagemaker.end("Train", "Failed", FailureReason=reason)
    sagemaker.go(arn)
    assert sagemaker.steps(arn)["Train"]["FailureReason"] == f"ClientError: {reason}"


# aws/sagemaker-python-sdk, tests/integ/sagemaker/workflow/test_fail_steps.py
def test_p20_a_fail_step_fails_with_its_message_or_without_a_reason(sagemaker: LocalSageMaker) -> None:
    arn = sagemaker.start(failing("No", "Execution failed due to MSE > 3.0"))
    sagemaker.go(arn)
    step = sagemaker.steps(arn)["No"]
    assert (step["StepStatus"], step["FailureReason"]) == ("Failed", "Execution failed due to MSE > 3.0")
    assert step["Metadata"] == {"Fail": {"ErrorMessage": "Execution failed due to MSE > 3.0"}}
    arn = sagemaker.start(failing("No", None))
    sagemaker.go(arn)
    step = sagemaker.steps(arn)["No"]
    assert ("FailureReason" in step, step["Metadata"]) == (False, {"Fail": {"ErrorMessage": ""}})


# aws/sagemaker-python-sdk, tests/integ/sagemaker/workflow/test_fail_steps.py and test_pipeline_var_behaviors.py
def test_p21_the_outcome_of_a_condition_has_small_letters_in_texts(sagemaker: LocalSageMaker) -> None:
    joined = {"Std:Join": {"On": ": ", "Values": ["is", {"Get": "Steps.Gate.Outcome"}]}}
    arn = sagemaker.start(gate("Gate", holds=False), failing("No", joined))
    sagemaker.go(arn)
    steps = sagemaker.steps(arn)
    assert steps["Gate"]["Metadata"] == {"Condition": {"Outcome": "False"}}
    assert steps["No"]["FailureReason"] == "is: false"


# a notebook of 2022
def test_p22_numbers_that_a_function_returns_are_doubles(sagemaker: LocalSageMaker) -> None:
    sagemaker.returns = {"Deploy": {"body": '"Endpoint Created Successfully"', "statusCode": 200}}
    arn = sagemaker.start(function("Deploy", "body", "statusCode"))
    sagemaker.go(arn)
    assert sagemaker.steps(arn)["Deploy"]["Metadata"]["Lambda"]["OutputParameters"] == [
        {"Name": "body", "Value": '"Endpoint Created Successfully"'},
        {"Name": "statusCode", "Value": "200.0"},
    ]


# aws/amazon-sagemaker-examples, ml_ops/sm-pipelines_selective_execution, cells 46 and 55
def test_p23_executions_and_their_jobs_are_named(sagemaker: LocalSageMaker) -> None:
    arn = sagemaker.start(training("Abalone-CreateModel-CreateModel"))
    sagemaker.go(arn)
    execution_id, (job,) = arn.rpartition("/")[2], sagemaker.jobs
    before, token = job[: -len("0123456789")], job[-len("0123456789") :]
    assert before == f"pipelines-{execution_id}-Abalone-CreateModel--"
    assert (len(execution_id), "-" in token) == (12, False)
    assert sagemaker.described(arn)["PipelineExecutionDisplayName"].startswith("execution-")


# aws/amazon-sagemaker-examples, ml_ops/sm-pipelines_preprocess_train_evaluate_batch_transform, cell 68
def test_p24_steps_are_listed_from_the_newest(sagemaker: LocalSageMaker) -> None:
    arn = sagemaker.start(training("First"), {**training("Second"), "DependsOn": ["First"]})
    sagemaker.go(arn)
    sagemaker.end("First", **MODEL)
    sagemaker.go(arn)
    listed = sagemaker.service.answer("ListPipelineExecutionSteps", {"PipelineExecutionArn": arn})
    assert [(step["StepName"], step["AttemptCount"]) for step in listed["PipelineExecutionSteps"]] == [
        ("Second", 1),
        ("First", 1),
    ]


# the same notebook, cell 46; the name is kept as it was given since 2023
def test_p27_and_p28_an_arn_has_the_name_as_it_was_given(sagemaker: LocalSageMaker) -> None:
    request = {"PipelineName": "AbalonePipeline-SelectExec", "RoleArn": worlds.ROLE, **TOKEN}
    definition = {"PipelineDefinition": '{"Version": "2020-12-01", "Steps": []}'}
    created = sagemaker.service.answer("CreatePipeline", {**request, **definition})
    assert created["PipelineArn"].endswith(":000000000000:pipeline/AbalonePipeline-SelectExec")


# a notebook of 2022, and the execution of cell 46
@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ({"Get": "Execution.PipelineName"}, "abalone-pipeline"),
        ("AbaloneExperimentsPipeline", "AbaloneExperimentsPipeline"),
    ],
)
def test_p23_an_execution_is_a_trial_of_its_pipelines_experiment(
    sagemaker: LocalSageMaker, name: Any, shown: str
) -> None:
    trial = {"Get": "Execution.PipelineExecutionId"}
    document = {"Version": "2020-12-01", "PipelineExperimentConfig": {"ExperimentName": name, "TrialName": trial}}
    pipeline = {"PipelineName": "Abalone-Pipeline", "RoleArn": worlds.ROLE}
    text = json.dumps({**document, "Steps": [processing("Work")]})
    sagemaker.service.answer("CreatePipeline", {**pipeline, "PipelineDefinition": text, **TOKEN})
    arn = sagemaker.service.answer("StartPipelineExecution", {"PipelineName": "Abalone-Pipeline", **TOKEN})[
        "PipelineExecutionArn"
    ]
    assert sagemaker.described(arn)["PipelineExperimentConfig"] == {
        "ExperimentName": shown,
        "TrialName": arn.rpartition("/")[2],
    }


# botocore's own words about this member
def test_an_execution_of_ones_own_pipeline_has_the_pipelines_role(sagemaker: LocalSageMaker) -> None:
    with pytest.raises(InvalidRequestError, match="RoleArn cannot be specified for a pipeline that you create"):
        sagemaker.start(processing("Work"), RoleArn=worlds.ROLE)
