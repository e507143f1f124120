"""Executions of the local AWS, step by step: what is described about them, and what survives a restart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.services.sagemaker.executions.core import state
from tests.support.local_sagemaker import MODEL, TOKEN, KilledError, LocalSageMaker, after, function, training, waiting


@pytest.fixture
def sagemaker(tmp_path: Path) -> LocalSageMaker:
    return LocalSageMaker(tmp_path)


CACHED = {"CacheConfig": {"Enabled": True, "ExpireAfter": "P1D"}}


def test_a_value_of_an_ended_step_reaches_the_next(sagemaker: LocalSageMaker) -> None:
    arn = sagemaker.start(training("Train"), after("Next", "Train"), parameters={"Epochs": "7"})
    assert sagemaker.go(arn) == "Executing"
    (job,) = sagemaker.jobs.values()
    assert job["HyperParameters"] == {"epochs": "7"}
    sagemaker.end("Train", **MODEL)
    sagemaker.go(arn)
    assert list(sagemaker.jobs.values())[1]["HyperParameters"] == {"from": "s3://bucket/model.tar.gz"}
    sagemaker.end("Next")
    assert sagemaker.go(arn) == "Succeeded"
    assert sagemaker.statuses(arn) == {"Train": "Succeeded", "Next": "Succeeded"}
    assert sagemaker.steps(arn)["Train"]["Metadata"]["TrainingJob"]["Arn"].startswith("arn:pipelines-")


def test_a_member_of_a_request_that_is_null_is_left_out(sagemaker: LocalSageMaker) -> None:
    source = {"S3DataSource": {"S3Uri": "s3://bucket/in", "AttributeNames": None}}
    channel = {"ChannelName": "train", "DataSource": source, "ContentType": None}
    sagemaker.go(sagemaker.start({**training("Own"), "Arguments": {"Environment": None, "InputDataConfig": [channel]}}))
    (job,) = sagemaker.jobs.values()
    assert "Environment" not in job
    assert job["InputDataConfig"] == [
        {"ChannelName": "train", "DataSource": {"S3DataSource": {"S3Uri": "s3://bucket/in"}}}
    ]


def test_a_step_without_a_role_takes_that_of_the_execution(sagemaker: LocalSageMaker) -> None:
    arn = sagemaker.start(training("Own"), {**training("Other"), "Arguments": {"RoleArn": "arn:aws:iam::1:role/other"}})
    sagemaker.go(arn)
    roles = {job["RoleArn"] for job in sagemaker.jobs.values()}
    assert roles == {sagemaker.described(arn)["RoleArn"], "arn:aws:iam::1:role/other"}


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ({"Epoch": "3"}, "Parameter Epoch is not defined in the pipeline definition; did you mean Epochs?"),
        ({"Epochs": "three"}, "Parameter Epochs has 'three', which is no Integer"),
        ({"Kind": "c"}, "Parameter Kind has 'c', which is not one of [a, b]"),
    ],
)
def test_parameters_are_checked_against_the_definition(
    sagemaker: LocalSageMaker, written: dict[str, str], message: str
) -> None:
    with pytest.raises(ServiceError) as raised:
        sagemaker.start(training("Train"), parameters=written)
    assert raised.value.message == message


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ([after("Next", "Nobody")], "there is no step Nobody"),
        ([after("A", "B"), after("B", "A")], "wait for each other"),
        ([{"Name": "A"}], "has no Type"),
    ],
)
def test_a_definition_that_cannot_run_is_refused_at_once(
    sagemaker: LocalSageMaker, steps: list[Any], message: str
) -> None:
    with pytest.raises(ServiceError, match="Unable to parse pipeline definition") as raised:
        sagemaker.start(*steps)
    assert message in raised.value.message


def test_unsupported_members_of_a_step_are_refused_at_the_start(sagemaker: LocalSageMaker) -> None:
    piped = {"AlgorithmSpecification": {"TrainingInputMode": "Pipe"}}
    with pytest.raises(ServiceError, match=r"Step B: .* not carry out AlgorithmSpecification\.TrainingInputMode Pipe"):
        sagemaker.start(training("A"), {"Name": "B", "Type": "Training", "Arguments": piped})


def test_a_step_in_a_branch_that_cannot_run_is_refused_at_the_start(sagemaker: LocalSageMaker) -> None:
    inner = {"Name": "Cluster", "Type": "EMR", "Arguments": {}}
    branches = {"Conditions": [], "IfSteps": [inner], "ElseSteps": []}
    with pytest.raises(ServiceError, match=r"runs no steps of these types: Cluster \(EMR\)"):
        sagemaker.start({"Name": "Gate", "Type": "Condition", "Arguments": branches})


def test_a_condition_takes_a_branch_and_the_other_never_starts(sagemaker: LocalSageMaker) -> None:
    compared = {"Type": "GreaterThan", "LeftValue": {"Get": "Parameters.Epochs"}, "RightValue": 5}
    gate = {
        "Name": "Gate",
        "Type": "Condition",
        "Arguments": {"Conditions": [compared], "IfSteps": [function("Yes")], "ElseSteps": [failing("No")]},
    }
    arn = sagemaker.start(gate, parameters={"Epochs": "6"})
    assert sagemaker.go(arn) == "Succeeded"
    assert sagemaker.statuses(arn) == {"Gate": "Succeeded", "Yes": "Succeeded"}
    assert sagemaker.steps(arn)["Gate"]["Metadata"]["Condition"]["Outcome"] == "True"
    other = sagemaker.start(gate, parameters={"Epochs": "5"})
    assert sagemaker.go(other) == "Failed"
    assert sagemaker.steps(other)["No"]["FailureReason"] == "too few: 5"


def test_a_step_that_waits_for_one_in_a_branch_runs_where_the_branch_is_taken(sagemaker: LocalSageMaker) -> None:
    compared = {"Type": "GreaterThan", "LeftValue": {"Get": "Parameters.Epochs"}, "RightValue": 5}
    branches = {"Conditions": [compared], "IfSteps": [function("Yes")], "ElseSteps": []}
    steps = {"Name": "Gate", "Type": "Condition", "Arguments": branches}, {**function("Next"), "DependsOn": ["Yes"]}
    taken = sagemaker.start(*steps, parameters={"Epochs": "6"})
    assert sagemaker.go(taken) == "Succeeded"
    assert set(sagemaker.statuses(taken)) == {"Gate", "Yes", "Next"}
    other = sagemaker.start(*steps, parameters={"Epochs": "5"})
    assert sagemaker.go(other) == "Succeeded"
    assert set(sagemaker.statuses(other)) == {"Gate"}


def test_a_job_that_ends_as_it_is_to_be_stopped_ends_as_it_did(sagemaker: LocalSageMaker) -> None:
    arn = sagemaker.start(training("Train"), after("Next", "Train"))
    sagemaker.go(arn)
    sagemaker.end("Train", **MODEL)
    sagemaker.refusals = [ServiceError("ValidationException", "the training job is in status Completed")]
    sagemaker.service.answer("StopPipelineExecution", {"PipelineExecutionArn": arn, **TOKEN})
    assert sagemaker.go(arn) == "Stopped"
    assert sagemaker.statuses(arn) == {"Train": "Succeeded"}


def test_a_job_that_may_not_be_stopped_has_failed(sagemaker: LocalSageMaker) -> None:
    arn = sagemaker.start(training("Train"))
    sagemaker.go(arn)
    sagemaker.refusals = [ServiceError("AccessDeniedException", "not authorized to perform: sagemaker:StopTrainingJob")]
    sagemaker.service.answer("StopPipelineExecution", {"PipelineExecutionArn": arn, **TOKEN})
    assert sagemaker.go(arn) == "Failed"
    assert "StopTrainingJob" in sagemaker.steps(arn)["Train"]["FailureReason"]


def test_a_fail_step_fails_again_when_its_execution_is_retried(sagemaker: LocalSageMaker) -> None:
    gate = {
        "Name": "Gate",
        "Type": "Condition",
        "Arguments": {"Conditions": [], "IfSteps": [failing("No")], "ElseSteps": []},
    }
    arn = sagemaker.start(gate)
    assert sagemaker.go(arn) == "Failed"
    sagemaker.service.answer("RetryPipelineExecution", {"PipelineExecutionArn": arn, **TOKEN})
    assert sagemaker.go(arn) == "Failed"


def failing(name: str) -> dict[str, Any]:
    message = {"Std:Join": {"On": ": ", "Values": ["too few", {"Get": "Parameters.Epochs"}]}}
    return {"Name": name, "Type": "Fail", "Arguments": {"ErrorMessage": message}}


def test_a_function_gives_what_it_declares_and_nothing_else(sagemaker: LocalSageMaker) -> None:
    sagemaker.returns = {"First": {"name": "x", "secret": "y"}, "Second": {"done": True}}
    taken = {"Get": "Steps.First.OutputParameters['name']"}
    arn = sagemaker.start(function("First", "name", "given"), function("Second", "done", taken=taken))
    assert sagemaker.go(arn) == "Succeeded"
    outputs = sagemaker.steps(arn)["First"]["Metadata"]["Lambda"]["OutputParameters"]
    assert outputs == [{"Name": "name", "Value": "x"}, {"Name": "given", "Value": "{}"}]


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        ({"other": 1}, "output name is null"),
        ({"name": {"nested": 1}}, 'output name is {"nested": 1}'),
        (RuntimeError("boom"), "Lambda function failed"),
    ],
)
def test_a_function_that_does_not_keep_its_word_fails_the_step(
    sagemaker: LocalSageMaker, returned: Any, message: str
) -> None:
    sagemaker.returns = {"First": returned}
    arn = sagemaker.start(function("First", "name"))
    assert sagemaker.go(arn) == "Failed"
    assert message in sagemaker.steps(arn)["First"]["FailureReason"]


@pytest.mark.parametrize("killed", ["First", "Second", "Last"])
def test_steps_that_had_ended_before_a_kill_do_not_run_again(sagemaker: LocalSageMaker, killed: str) -> None:
    gate = {"Name": "Gate", "Type": "Condition", "Arguments": {"Conditions": [], "IfSteps": [], "ElseSteps": []}}
    chain = (
        function("First"),
        {**gate, "DependsOn": ["First"]},
        {**function("Second"), "DependsOn": ["Gate"]},
        {**function("Last"), "DependsOn": ["Second"]},
    )
    arn = sagemaker.start(*chain)
    sagemaker.returns = {killed: KilledError()}
    with pytest.raises(KilledError):
        sagemaker.go(arn)
    sagemaker.restart()
    sagemaker.returns = {}
    assert sagemaker.go(arn) == "Succeeded"
    assert sagemaker.begun == sorted(["First", "Second", "Last", killed], key=["First", "Second", "Last"].index)
    assert list(sagemaker.statuses(arn)) == ["First", "Gate", "Second", "Last"]


def test_an_earlier_result_is_used_while_it_is_fresh_and_nothing_has_changed(sagemaker: LocalSageMaker) -> None:
    def run(**parameters: str) -> tuple[str, dict[str, Any]]:
        arn = sagemaker.start(training("Train", **CACHED), after("Next", "Train"), parameters=parameters)
        if sagemaker.go(arn) == "Executing" and sagemaker.statuses(arn)["Train"] == "Executing":
            sagemaker.end("Train", **MODEL)
            sagemaker.go(arn)
        sagemaker.end("Next")
        assert sagemaker.go(arn) == "Succeeded"
        return arn, sagemaker.steps(arn)["Train"]

    first, fresh = run()
    assert "CacheHitResult" not in fresh
    assert run()[1]["CacheHitResult"] == {"SourcePipelineExecutionArn": first}
    assert "CacheHitResult" not in run(Epochs="4")[1]
    sagemaker.clock.sleep(2 * 86_400)
    assert "CacheHitResult" not in run()[1]


def test_a_failed_job_is_tried_again_as_its_policy_says(sagemaker: LocalSageMaker) -> None:
    policy = {
        "ExceptionType": ["SageMaker.JOB_INTERNAL_ERROR"],
        "IntervalSeconds": 10,
        "BackoffRate": 2.0,
        "MaxAttempts": 2,
    }
    arn = sagemaker.start(training("Train", RetryPolicies=[policy]))
    sagemaker.go(arn)
    for attempt, wait in ((1, 10), (2, 20)):
        sagemaker.end("Train", "Failed", FailureReason="InternalServerError: lost")
        sagemaker.go(arn)
        assert len(sagemaker.jobs) == attempt
        sagemaker.clock.sleep(wait + 1)
        sagemaker.go(arn)
        assert len(sagemaker.jobs) == attempt + 1
    sagemaker.end("Train", "Failed", FailureReason="InternalServerError: lost")
    assert sagemaker.go(arn) == "Failed"
    step = sagemaker.steps(arn)["Train"]
    assert (step["AttemptCount"], step["FailureReason"]) == (3, "ClientError: InternalServerError: lost")


def test_a_job_that_fails_by_its_own_fault_is_not_tried_again(sagemaker: LocalSageMaker) -> None:
    policy = {"ExceptionType": ["SageMaker.JOB_INTERNAL_ERROR"], "IntervalSeconds": 10, "MaxAttempts": 2}
    arn = sagemaker.start(training("Train", RetryPolicies=[policy]))
    sagemaker.go(arn)
    sagemaker.end("Train", "Failed", FailureReason="AlgorithmError: no images, exit code: 1")
    assert sagemaker.go(arn) == "Failed"


def test_throttling_is_a_fault_of_its_own(sagemaker: LocalSageMaker) -> None:
    policy = {"ExceptionType": ["Step.THROTTLING"], "IntervalSeconds": 1, "MaxAttempts": 1}
    sagemaker.refusals = [ServiceError("ThrottlingException", "Rate exceeded")]
    arn = sagemaker.start(training("Train", RetryPolicies=[policy]))
    assert (sagemaker.go(arn), sagemaker.jobs) == ("Executing", {})
    sagemaker.clock.sleep(2)
    sagemaker.go(arn)
    assert len(sagemaker.jobs) == 1


def test_a_failed_execution_continues_where_it_failed(sagemaker: LocalSageMaker) -> None:
    arn = sagemaker.start(training("Train"), after("Next", "Train"))
    sagemaker.go(arn)
    sagemaker.end("Train", **MODEL)
    sagemaker.go(arn)
    sagemaker.end("Next", "Failed")
    assert sagemaker.go(arn) == "Failed"
    sagemaker.service.answer("RetryPipelineExecution", {"PipelineExecutionArn": arn, **TOKEN})
    assert sagemaker.go(arn) == "Executing"
    sagemaker.end("Next")
    assert sagemaker.go(arn) == "Succeeded"
    assert sagemaker.begun == ["Train", "Next", "Next"]


def test_an_execution_that_is_retried_is_one_that_the_executor_looks_at(sagemaker: LocalSageMaker) -> None:
    arn = sagemaker.start(training("Train"))
    sagemaker.go(arn)
    sagemaker.end("Train", "Failed")
    sagemaker.go(arn)
    assert not sagemaker.world.store.entries(state.ACTIVE)
    sagemaker.service.answer("RetryPipelineExecution", {"PipelineExecutionArn": arn, **TOKEN})
    assert [entry.name for entry in sagemaker.world.store.entries(state.ACTIVE)] == [state.id_of(arn)]


def test_a_job_that_may_not_be_stopped_fails_its_step(sagemaker: LocalSageMaker) -> None:
    arn = sagemaker.start(training("Train"))
    sagemaker.go(arn)
    sagemaker.refusals.append(
        ServiceError("AccessDeniedException", "not authorized to perform: sagemaker:StopTrainingJob")
    )
    sagemaker.service.answer("StopPipelineExecution", {"PipelineExecutionArn": arn, **TOKEN})
    sagemaker.go(arn)
    step = sagemaker.steps(arn)["Train"]
    assert (step["StepStatus"], step["FailureReason"]) == (
        "Failed",
        "ClientError: not authorized to perform: sagemaker:StopTrainingJob",
    )


def test_selected_steps_take_the_rest_from_an_earlier_execution(sagemaker: LocalSageMaker) -> None:
    steps = (training("Train"), after("Next", "Train"), after("Last", "Next"))
    first = sagemaker.start(*steps)
    for step in ("Train", "Next", "Last"):
        sagemaker.go(first)
        sagemaker.end(step, **MODEL)
    assert sagemaker.go(first) == "Succeeded"
    selection = {"SourcePipelineExecutionArn": first, "SelectedSteps": [{"StepName": "Next"}]}
    arn = sagemaker.start(*steps, SelectiveExecutionConfig=selection)
    sagemaker.go(arn)
    sagemaker.end("Next", **MODEL)
    assert sagemaker.go(arn) == "Succeeded"
    assert sagemaker.begun == ["Train", "Next", "Last", "Next"]
    assert sagemaker.steps(arn)["Train"]["SelectiveExecutionResult"] == {"SourcePipelineExecutionArn": first}


def test_the_same_token_starts_one_execution(sagemaker: LocalSageMaker) -> None:
    token: dict[str, Any] = {"ClientRequestToken": "c" * 32}
    assert sagemaker.start(training("Train"), **token) == sagemaker.start(training("Train"), **token)
    assert sagemaker.start(training("Train")) != sagemaker.start(training("Train"))


def test_a_registered_version_is_described_to_the_steps_after_it(sagemaker: LocalSageMaker) -> None:
    sagemaker.service.answer("CreateModelPackageGroup", {"ModelPackageGroupName": "dogs"})
    register = {
        "Name": "Register",
        "Type": "RegisterModel",
        "Arguments": {"ModelPackageGroupName": "dogs", "ModelApprovalStatus": "Approved"},
    }
    arn = sagemaker.start(register, function("Deploy", "given", package={"Get": "Steps.Register.ModelPackageArn"}))
    assert sagemaker.go(arn) == "Succeeded"
    outputs = sagemaker.steps(arn)["Deploy"]["Metadata"]["Lambda"]["OutputParameters"]
    assert "model-package/dogs/1" in outputs[0]["Value"]


def test_a_restart_after_every_move_changes_nothing(sagemaker: LocalSageMaker) -> None:
    arn = sagemaker.start(training("Train"), after("Next", "Train"), waiting(), function("Call"))
    for step in ("Train", "Next"):
        sagemaker.go(arn)
        sagemaker.restart()
        sagemaker.go(arn)
        sagemaker.end(step, **MODEL)
        sagemaker.restart()
    sagemaker.go(arn)
    sagemaker.restart()
    (token,) = {message["token"] for message in sagemaker.messages}
    outputs = [{"Name": "outcome", "Value": "x"}]
    sagemaker.service.answer(
        "SendPipelineExecutionStepSuccess", {"CallbackToken": token, "OutputParameters": outputs, **TOKEN}
    )
    assert sagemaker.go(arn) == "Succeeded"
    assert sorted(sagemaker.begun) == ["Call", "Next", "Train"]


def test_five_hundred_parallel_steps_succeed(sagemaker: LocalSageMaker) -> None:
    leaves = [
        function(f"Leaf{index}", "given", of={"Get": "Steps.Root.OutputParameters['given']"}) for index in range(500)
    ]
    arn = sagemaker.start(function("Root", "given"), *leaves)
    assert sagemaker.go(arn) == "Succeeded"
    assert sorted(sagemaker.begun) == sorted(["Root", *(leaf["Name"] for leaf in leaves)])
