"""Executions of the local AWS, step by step: what is described about them, and what survives a restart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.services.sagemaker.executions import state
from tests.support.local_sagemaker import KilledError, Sage

QUEUE = "https://sqs.us-east-1.amazonaws.com/000000000000/await"


@pytest.fixture
def sage(tmp_path: Path) -> Sage:
    return Sage(tmp_path)


def training(name: str, **members: Any) -> dict[str, Any]:
    hyperparameters = {"epochs": {"Std:Join": {"On": "", "Values": [{"Get": "Parameters.Epochs"}]}}}
    return {"Name": name, "Type": "Training", "Arguments": {"HyperParameters": hyperparameters}, **members}


def after(name: str, source: str, **members: Any) -> dict[str, Any]:
    uri = {"Get": f"Steps.{source}.ModelArtifacts.S3ModelArtifacts"}
    return {"Name": name, "Type": "Training", "Arguments": {"HyperParameters": {"from": uri}}, **members}


def function(name: str, *outputs: str, **arguments: Any) -> dict[str, Any]:
    declared = [{"OutputName": output, "OutputType": "String"} for output in outputs]
    return {"Name": name, "Type": "Lambda", "FunctionArn": name, "Arguments": arguments, "OutputParameters": declared}


MODEL: dict[str, Any] = {"ModelArtifacts": {"S3ModelArtifacts": "s3://bucket/model.tar.gz"}}
TOKEN = {"ClientRequestToken": "t" * 32}
CACHED = {"CacheConfig": {"Enabled": True, "ExpireAfter": "P1D"}}


def test_a_value_of_an_ended_step_reaches_the_next(sage: Sage) -> None:
    arn = sage.start(training("Train"), after("Next", "Train"), parameters={"Epochs": "7"})
    assert sage.go(arn) == "Executing"
    (job,) = sage.jobs.values()
    assert job["HyperParameters"] == {"epochs": "7"}
    sage.end("Train", **MODEL)
    sage.go(arn)
    assert list(sage.jobs.values())[1]["HyperParameters"] == {"from": "s3://bucket/model.tar.gz"}
    sage.end("Next")
    assert sage.go(arn) == "Succeeded"
    assert sage.statuses(arn) == {"Train": "Succeeded", "Next": "Succeeded"}
    assert sage.steps(arn)["Train"]["Metadata"]["TrainingJob"]["Arn"].startswith("arn:pipelines-")


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ({"Epoch": "3"}, "Parameter Epoch is not defined in the pipeline definition; did you mean Epochs?"),
        ({"Epochs": "three"}, "Parameter Epochs has 'three', which is no Integer"),
        ({"Kind": "c"}, "Parameter Kind has 'c', which is not one of [a, b]"),
    ],
)
def test_parameters_are_held_against_the_definition(sage: Sage, written: dict[str, str], told: str) -> None:
    with pytest.raises(ServiceError) as raised:
        sage.start(training("Train"), parameters=written)
    assert raised.value.message == told


@pytest.mark.parametrize(
    ("steps", "told"),
    [
        ([after("Next", "Nobody")], "there is no step Nobody"),
        ([after("A", "B"), after("B", "A")], "wait for each other"),
        ([{"Name": "A"}], "has no Type"),
    ],
)
def test_a_definition_that_cannot_run_is_refused_at_once(sage: Sage, steps: list[Any], told: str) -> None:
    with pytest.raises(ServiceError, match="Unable to parse pipeline definition") as raised:
        sage.start(*steps)
    assert told in raised.value.message


def test_what_a_step_asks_for_and_cannot_be_carried_out_is_told_at_the_start(sage: Sage) -> None:
    piped = {"AlgorithmSpecification": {"TrainingInputMode": "Pipe"}}
    with pytest.raises(ServiceError, match=r"Step B: .* not carry out AlgorithmSpecification\.TrainingInputMode Pipe"):
        sage.start(training("A"), {"Name": "B", "Type": "Training", "Arguments": piped})


def test_a_step_in_a_branch_that_cannot_run_is_told_at_the_start(sage: Sage) -> None:
    inner = {"Name": "Cluster", "Type": "EMR", "Arguments": {}}
    branches = {"Conditions": [], "IfSteps": [inner], "ElseSteps": []}
    with pytest.raises(ServiceError, match=r"runs no steps of these types: Cluster \(EMR\)"):
        sage.start({"Name": "Gate", "Type": "Condition", "Arguments": branches})


def test_a_condition_takes_a_branch_and_the_other_never_starts(sage: Sage) -> None:
    compared = {"Type": "GreaterThan", "LeftValue": {"Get": "Parameters.Epochs"}, "RightValue": 5}
    gate = {
        "Name": "Gate",
        "Type": "Condition",
        "Arguments": {"Conditions": [compared], "IfSteps": [function("Yes")], "ElseSteps": [failing("No")]},
    }
    arn = sage.start(gate, parameters={"Epochs": "6"})
    assert sage.go(arn) == "Succeeded"
    assert sage.statuses(arn) == {"Gate": "Succeeded", "Yes": "Succeeded"}
    assert sage.steps(arn)["Gate"]["Metadata"]["Condition"]["Outcome"] == "True"
    other = sage.start(gate, parameters={"Epochs": "5"})
    assert sage.go(other) == "Failed"
    assert sage.described(other)["FailureReason"] == "too few: 5"


def test_a_job_that_ends_as_it_is_to_be_stopped_ends_as_it_did(sage: Sage) -> None:
    arn = sage.start(training("Train"), after("Next", "Train"))
    sage.go(arn)
    sage.end("Train", **MODEL)
    sage.refusals = [ServiceError("ValidationException", "the training job is in status Completed")]
    sage.service.answer("StopPipelineExecution", {"PipelineExecutionArn": arn, **TOKEN})
    assert sage.go(arn) == "Stopped"
    assert sage.statuses(arn) == {"Train": "Succeeded"}


def test_a_job_that_may_not_be_stopped_has_failed(sage: Sage) -> None:
    arn = sage.start(training("Train"))
    sage.go(arn)
    sage.refusals = [ServiceError("AccessDeniedException", "not authorized to perform: sagemaker:StopTrainingJob")]
    sage.service.answer("StopPipelineExecution", {"PipelineExecutionArn": arn, **TOKEN})
    assert sage.go(arn) == "Failed"
    assert "StopTrainingJob" in sage.steps(arn)["Train"]["FailureReason"]


def test_a_fail_step_fails_again_when_its_execution_is_retried(sage: Sage) -> None:
    gate = {
        "Name": "Gate",
        "Type": "Condition",
        "Arguments": {"Conditions": [], "IfSteps": [failing("No")], "ElseSteps": []},
    }
    arn = sage.start(gate)
    assert sage.go(arn) == "Failed"
    sage.service.answer("RetryPipelineExecution", {"PipelineExecutionArn": arn, **TOKEN})
    assert sage.go(arn) == "Failed"


def failing(name: str) -> dict[str, Any]:
    message = {"Std:Join": {"On": ": ", "Values": ["too few", {"Get": "Parameters.Epochs"}]}}
    return {"Name": name, "Type": "Fail", "Arguments": {"ErrorMessage": message}}


def test_a_function_gives_what_it_declares_and_nothing_else(sage: Sage) -> None:
    sage.returns = {"First": {"name": "x", "secret": "y"}, "Second": {"done": True}}
    taken = {"Get": "Steps.First.OutputParameters['name']"}
    arn = sage.start(function("First", "name", "given"), function("Second", "done", taken=taken))
    assert sage.go(arn) == "Succeeded"
    outputs = sage.steps(arn)["First"]["Metadata"]["Lambda"]["OutputParameters"]
    assert outputs == [{"Name": "name", "Value": "x"}, {"Name": "given", "Value": "{}"}]


@pytest.mark.parametrize(
    ("returned", "told"),
    [
        ({"other": 1}, "output name is null"),
        ({"name": {"nested": 1}}, 'output name is {"nested": 1}'),
        (RuntimeError("boom"), "Lambda function failed"),
    ],
)
def test_a_function_that_does_not_keep_its_word_fails_the_step(sage: Sage, returned: Any, told: str) -> None:
    sage.returns = {"First": returned}
    arn = sage.start(function("First", "name"))
    assert sage.go(arn) == "Failed"
    assert told in sage.steps(arn)["First"]["FailureReason"]


@pytest.mark.parametrize("killed", ["First", "Second", "Last"])
def test_what_had_ended_before_a_kill_is_not_done_again(sage: Sage, killed: str) -> None:
    gate = {"Name": "Gate", "Type": "Condition", "Arguments": {"Conditions": [], "IfSteps": [], "ElseSteps": []}}
    chain = (
        function("First"),
        {**gate, "DependsOn": ["First"]},
        {**function("Second"), "DependsOn": ["Gate"]},
        {**function("Last"), "DependsOn": ["Second"]},
    )
    arn = sage.start(*chain)
    sage.returns = {killed: KilledError()}
    with pytest.raises(KilledError):
        sage.go(arn)
    sage.restart()
    sage.returns = {}
    assert sage.go(arn) == "Succeeded"
    assert sage.begun == sorted(["First", "Second", "Last", killed], key=["First", "Second", "Last"].index)
    assert list(sage.statuses(arn)) == ["First", "Gate", "Second", "Last"]


def waiting() -> dict[str, Any]:
    outputs = [{"OutputName": "outcome", "OutputType": "String"}]
    return {
        "Name": "Wait",
        "Type": "Callback",
        "SqsQueueUrl": QUEUE,
        "Arguments": {"a": "b"},
        "OutputParameters": outputs,
    }


def test_a_callback_waits_for_the_holder_of_its_token(sage: Sage) -> None:
    arn = sage.start(waiting())
    assert [sage.go(arn), sage.go(arn)] == ["Executing", "Executing"]
    (message,) = sage.messages
    assert (message["arguments"], message["status"], len(message["token"])) == ({"a": "b"}, "Executing", 10)
    answer = {
        "CallbackToken": message["token"],
        "OutputParameters": [{"Name": "outcome", "Value": "in-service"}],
        **TOKEN,
    }
    sage.service.answer("SendPipelineExecutionStepSuccess", answer)
    assert sage.go(arn) == "Succeeded"
    assert sage.service.answer("SendPipelineExecutionStepSuccess", answer) == {"PipelineExecutionArn": arn}
    with pytest.raises(ServiceError, match="was answered already"):
        sage.service.answer("SendPipelineExecutionStepSuccess", {**answer, "ClientRequestToken": "u" * 32})


def test_a_callback_may_be_answered_with_a_failure(sage: Sage) -> None:
    arn = sage.start(waiting())
    sage.go(arn)
    failure = {"CallbackToken": sage.messages[0]["token"], "FailureReason": "rolled back", **TOKEN}
    sage.service.answer("SendPipelineExecutionStepFailure", failure)
    assert sage.go(arn) == "Failed"
    assert sage.described(arn)["FailureReason"] == "rolled back"


def test_stopping_waits_for_a_callback_and_says_so_in_its_queue(sage: Sage) -> None:
    arn = sage.start(waiting(), training("Train"))
    sage.go(arn)
    sage.service.answer("StopPipelineExecution", {"PipelineExecutionArn": arn, **TOKEN})
    assert sage.go(arn) == "Stopping"
    assert sage.statuses(arn) == {"Wait": "Stopping", "Train": "Stopped"}
    assert [one["status"] for one in sage.messages] == ["Executing", "Stopping"]
    sage.service.answer("SendPipelineExecutionStepFailure", {"CallbackToken": sage.messages[0]["token"], **TOKEN})
    assert sage.go(arn) == "Failed"


def test_an_earlier_result_is_used_while_it_is_fresh_and_nothing_has_changed(sage: Sage) -> None:
    def run(**parameters: str) -> tuple[str, dict[str, Any]]:
        arn = sage.start(training("Train", **CACHED), after("Next", "Train"), parameters=parameters)
        if sage.go(arn) == "Executing" and sage.statuses(arn)["Train"] == "Executing":
            sage.end("Train", **MODEL)
            sage.go(arn)
        sage.end("Next")
        assert sage.go(arn) == "Succeeded"
        return arn, sage.steps(arn)["Train"]

    first, fresh = run()
    assert "CacheHitResult" not in fresh
    assert run()[1]["CacheHitResult"] == {"SourcePipelineExecutionArn": first}
    assert "CacheHitResult" not in run(Epochs="4")[1]
    sage.clock.sleep(2 * 86_400)
    assert "CacheHitResult" not in run()[1]


def test_a_failed_job_is_tried_again_as_its_policy_says(sage: Sage) -> None:
    policy = {
        "ExceptionType": ["SageMaker.JOB_INTERNAL_ERROR"],
        "IntervalSeconds": 10,
        "BackoffRate": 2.0,
        "MaxAttempts": 2,
    }
    arn = sage.start(training("Train", RetryPolicies=[policy]))
    sage.go(arn)
    for attempt, wait in ((1, 10), (2, 20)):
        sage.end("Train", "Failed", FailureReason="InternalServerError: lost")
        sage.go(arn)
        assert len(sage.jobs) == attempt
        sage.clock.sleep(wait + 1)
        sage.go(arn)
        assert len(sage.jobs) == attempt + 1
    sage.end("Train", "Failed", FailureReason="InternalServerError: lost")
    assert sage.go(arn) == "Failed"
    assert (sage.steps(arn)["Train"]["AttemptCount"], sage.described(arn)["FailureReason"]) == (
        3,
        "InternalServerError: lost",
    )


def test_a_job_that_fails_by_its_own_fault_is_not_tried_again(sage: Sage) -> None:
    policy = {"ExceptionType": ["SageMaker.JOB_INTERNAL_ERROR"], "IntervalSeconds": 10, "MaxAttempts": 2}
    arn = sage.start(training("Train", RetryPolicies=[policy]))
    sage.go(arn)
    sage.end("Train", "Failed", FailureReason="AlgorithmError: no images, exit code: 1")
    assert sage.go(arn) == "Failed"


def test_throttling_is_a_fault_of_its_own(sage: Sage) -> None:
    policy = {"ExceptionType": ["Step.THROTTLING"], "IntervalSeconds": 1, "MaxAttempts": 1}
    sage.refusals = [ServiceError("ThrottlingException", "Rate exceeded")]
    arn = sage.start(training("Train", RetryPolicies=[policy]))
    assert (sage.go(arn), sage.jobs) == ("Executing", {})
    sage.clock.sleep(2)
    sage.go(arn)
    assert len(sage.jobs) == 1


def test_a_failed_execution_goes_on_where_it_failed(sage: Sage) -> None:
    arn = sage.start(training("Train"), after("Next", "Train"))
    sage.go(arn)
    sage.end("Train", **MODEL)
    sage.go(arn)
    sage.end("Next", "Failed")
    assert sage.go(arn) == "Failed"
    sage.service.answer("RetryPipelineExecution", {"PipelineExecutionArn": arn, **TOKEN})
    assert sage.go(arn) == "Executing"
    sage.end("Next")
    assert sage.go(arn) == "Succeeded"
    assert sage.begun == ["Train", "Next", "Next"]


def test_an_execution_that_is_retried_is_one_that_the_executor_looks_at(sage: Sage) -> None:
    arn = sage.start(training("Train"))
    sage.go(arn)
    sage.end("Train", "Failed")
    sage.go(arn)
    assert not sage.world.store.entries(state.ACTIVE)
    sage.service.answer("RetryPipelineExecution", {"PipelineExecutionArn": arn, **TOKEN})
    assert [one.name for one in sage.world.store.entries(state.ACTIVE)] == [state.id_of(arn)]


def test_a_job_that_may_not_be_stopped_fails_its_step(sage: Sage) -> None:
    arn = sage.start(training("Train"))
    sage.go(arn)
    sage.refusals.append(ServiceError("AccessDeniedException", "not authorized to perform: sagemaker:StopTrainingJob"))
    sage.service.answer("StopPipelineExecution", {"PipelineExecutionArn": arn, **TOKEN})
    sage.go(arn)
    step = sage.steps(arn)["Train"]
    assert (step["StepStatus"], step["FailureReason"]) == (
        "Failed",
        "ClientError: not authorized to perform: sagemaker:StopTrainingJob",
    )


def test_selected_steps_take_the_rest_from_an_earlier_execution(sage: Sage) -> None:
    steps = (training("Train"), after("Next", "Train"), after("Last", "Next"))
    first = sage.start(*steps)
    for step in ("Train", "Next", "Last"):
        sage.go(first)
        sage.end(step, **MODEL)
    assert sage.go(first) == "Succeeded"
    selection = {"SourcePipelineExecutionArn": first, "SelectedSteps": [{"StepName": "Next"}]}
    arn = sage.start(*steps, SelectiveExecutionConfig=selection)
    sage.go(arn)
    sage.end("Next", **MODEL)
    assert sage.go(arn) == "Succeeded"
    assert sage.begun == ["Train", "Next", "Last", "Next"]
    assert sage.steps(arn)["Train"]["SelectiveExecutionResult"] == {"SourcePipelineExecutionArn": first}


def test_the_same_token_starts_one_execution(sage: Sage) -> None:
    token: dict[str, Any] = {"ClientRequestToken": "c" * 32}
    assert sage.start(training("Train"), **token) == sage.start(training("Train"), **token)
    assert sage.start(training("Train")) != sage.start(training("Train"))


def test_a_registered_version_is_described_to_the_steps_after_it(sage: Sage) -> None:
    sage.service.answer("CreateModelPackageGroup", {"ModelPackageGroupName": "dogs"})
    register = {
        "Name": "Register",
        "Type": "RegisterModel",
        "Arguments": {"ModelPackageGroupName": "dogs", "ModelApprovalStatus": "Approved"},
    }
    arn = sage.start(register, function("Deploy", "given", package={"Get": "Steps.Register.ModelPackageArn"}))
    assert sage.go(arn) == "Succeeded"
    outputs = sage.steps(arn)["Deploy"]["Metadata"]["Lambda"]["OutputParameters"]
    assert "model-package/dogs/1" in outputs[0]["Value"]


def test_a_restart_after_every_move_changes_nothing(sage: Sage) -> None:
    arn = sage.start(training("Train"), after("Next", "Train"), waiting(), function("Call"))
    for step in ("Train", "Next"):
        sage.go(arn)
        sage.restart()
        sage.go(arn)
        sage.end(step, **MODEL)
        sage.restart()
    sage.go(arn)
    sage.restart()
    (token,) = {one["token"] for one in sage.messages}
    outputs = [{"Name": "outcome", "Value": "x"}]
    sage.service.answer(
        "SendPipelineExecutionStepSuccess", {"CallbackToken": token, "OutputParameters": outputs, **TOKEN}
    )
    assert sage.go(arn) == "Succeeded"
    assert sorted(sage.begun) == ["Call", "Next", "Train"]


def test_five_hundred_steps_at_once_are_carried_out(sage: Sage) -> None:
    leaves = [
        function(f"Leaf{index}", "given", of={"Get": "Steps.Root.OutputParameters['given']"}) for index in range(500)
    ]
    arn = sage.start(function("Root", "given"), *leaves)
    assert sage.go(arn) == "Succeeded"
    assert sorted(sage.begun) == sorted(["Root", *(leaf["Name"] for leaf in leaves)])
