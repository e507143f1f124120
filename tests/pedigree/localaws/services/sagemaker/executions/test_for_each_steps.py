"""A ForEach step runs the steps of its body for each item, some at once, and says what they came to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pedigree.localaws.http.protocol.errors import InvalidRequestError
from tests.support.local_sagemaker import TOKEN, LocalSageMaker, function


@pytest.fixture
def sagemaker(tmp_path: Path) -> LocalSageMaker:
    return LocalSageMaker(tmp_path)


def get(path: str) -> dict[str, str]:
    return {"Get": path}


def fit(name: str = "Fit", item: Any = None, **members: Any) -> dict[str, Any]:
    """A training step whose job gets the item, and an address that the item is part of."""
    address = {"Std:Join": {"On": "/", "Values": ["s3://bucket", get("ForEach.CurrentItem")]}}
    hyperparameters = {"item": item or get("ForEach.CurrentItem"), "address": address}
    return {"Name": name, "Type": "Training", "Arguments": {"HyperParameters": hyperparameters}, **members}


def for_each(items: Any, *inner: dict[str, Any], at_once: Any = 2, **arguments: Any) -> dict[str, Any]:
    written = {"IterableItems": items, "MaxConcurrency": at_once, "ForEachBody": list(inner), **arguments}
    return {"Name": "Each", "Type": "ForEach", "Arguments": written}


def jobs(sagemaker: LocalSageMaker) -> list[dict[str, str]]:
    return [job["HyperParameters"] for job in sagemaker.jobs.values()]


def outcome(sagemaker: LocalSageMaker, arn: str) -> dict[str, Any]:
    return dict(sagemaker.steps(arn)["Each"]["Metadata"]["ForEach"])


def test_each_item_has_a_step_and_no_more_run_at_once_than_wanted(sagemaker: LocalSageMaker) -> None:
    arn = sagemaker.start(for_each(["a", 2, get("Parameters.Epochs")], fit()))
    assert sagemaker.go(arn) == "Executing"
    assert sagemaker.begun == ["Fit-0", "Fit-1"]
    sagemaker.end("Fit-0")
    sagemaker.go(arn)
    assert sagemaker.begun == ["Fit-0", "Fit-1", "Fit-2"]
    assert [job["item"] for job in jobs(sagemaker)] == ["a", 2, 3]
    assert [job["address"] for job in jobs(sagemaker)] == ["s3://bucket/a", "s3://bucket/2", "s3://bucket/3"]
    for name in ("Fit-1", "Fit-2"):
        sagemaker.end(name)
    assert sagemaker.go(arn) == "Succeeded"
    counts = {"InputItemCount": 3, "TotalStepCount": 3, "SucceededStepCount": 3, "FailedStepCount": 0}
    assert outcome(sagemaker, arn) == {"Status": "Succeeded", **counts, "StoppedStepCount": 0}
    assert sagemaker.steps(arn)["Fit-1"]["IterationContext"] == {"ParentStepName": "Each", "Index": 1, "Item": "2"}
    assert "IterationContext" not in sagemaker.steps(arn)["Each"]


def test_items_may_be_a_text_in_json_whose_parts_the_steps_use(sagemaker: LocalSageMaker) -> None:
    listed = function("List", "items")
    sagemaker.returns["List"] = {"items": '[{"name": "a", "of": {"rates": [1, 2]}}, "{\\"name\\": \\"b\\"}"]'}
    named = fit(item=get("ForEach.CurrentItem.name"))
    arn = sagemaker.start(listed, for_each(get("Steps.List.OutputParameters['items']"), named))
    sagemaker.go(arn)
    assert [job["item"] for job in jobs(sagemaker)] == ["a", "b"]
    assert jobs(sagemaker)[0]["address"] == 's3://bucket/{"name": "a", "of": {"rates": [1, 2]}}'


@pytest.mark.parametrize(
    ("items", "part", "reason"),
    [
        ("no list", "", 'IterableItems of Each is "no list"; write a list in JSON'),
        ('["a"]', ".name", 'the item "a" has no name'),
        ('["{}"]', "[0]", 'the item "{}" has no 0'),
    ],
)
def test_items_that_do_not_fit_fail_the_step(sagemaker: LocalSageMaker, items: str, part: str, reason: str) -> None:
    sagemaker.returns["List"] = {"items": items}
    source = get("Steps.List.OutputParameters['items']")
    body = fit(item=get(f"ForEach.CurrentItem{part}"))
    arn = sagemaker.start(function("List", "items"), for_each(source, body))
    assert sagemaker.go(arn) == "Failed"
    assert sagemaker.steps(arn)["Each"]["FailureReason"] == reason
    assert sagemaker.begun == ["List"]


def test_no_items_are_no_steps(sagemaker: LocalSageMaker) -> None:
    sagemaker.returns["List"] = {"items": "[]"}
    last = function("Last", count=get("Steps.Each.InputItemCount"))
    arn = sagemaker.start(function("List", "items"), for_each(get("Steps.List.OutputParameters['items']"), fit()), last)
    assert sagemaker.go(arn) == "Succeeded"
    assert sagemaker.begun == ["List", "Last"]


def test_steps_of_one_iteration_use_one_another(sagemaker: LocalSageMaker) -> None:
    model = get("Steps.Fit.ModelArtifacts.S3ModelArtifacts")
    judge, last = fit("Judge", model), function("Say", item=get("ForEach.CurrentItem"))
    arn = sagemaker.start(for_each(["a", "b"], {**last, "DependsOn": ["Judge"]}, judge, fit()))
    for name in ("Fit-1", "Judge-1", "Fit-0", "Judge-0"):
        sagemaker.go(arn)
        sagemaker.end(name, ModelArtifacts={"S3ModelArtifacts": f"s3://of/{name}"})
    assert sagemaker.go(arn) == "Succeeded"
    assert [job["item"] for job in jobs(sagemaker)] == ["a", "b", "s3://of/Fit-1", "s3://of/Fit-0"]
    assert sagemaker.begun == ["Fit-0", "Fit-1", "Judge-1", "Say-1", "Judge-0", "Say-0"]


@pytest.mark.parametrize(("pick", "index"), [("MaxBy", 1), ("MinBy", 2)])
def test_later_steps_use_the_selected_iteration_and_any_other(sagemaker: LocalSageMaker, pick: str, index: int) -> None:
    selector = {"Pick": pick, "Field": get("IterationOutput.Score.OutputParameters['score']")}
    score = {**function("Score", "score"), "FunctionArn": get("ForEach.CurrentItem")}
    for name, value in (("f0", 2), ("f1", 9.5), ("f2", "-3")):
        sagemaker.returns[name] = {"score": value}
    first = get("Steps.Each.IterationOutputs[0].Score.OutputParameters['score']")
    best = get("Steps.Each.Selected.OutputParameters['score']")
    arn = sagemaker.start(
        for_each(["f0", "f1", "f2"], score, Selector=selector),
        {
            "Name": "Say",
            "Type": "Fail",
            "Arguments": {"ErrorMessage": {"Std:Join": {"On": " ", "Values": [first, best]}}},
        },
    )
    assert sagemaker.go(arn) == "Failed"
    assert sagemaker.steps(arn)["Say"]["FailureReason"] == {"MaxBy": "2 9.5", "MinBy": "2 -3"}[pick]
    assert outcome(sagemaker, arn)["Selector"] == {"StepName": "Score", "Index": index}


def test_a_selector_that_compares_no_numbers_fails_the_step(sagemaker: LocalSageMaker) -> None:
    selector = {"Pick": "MaxBy", "Field": get("IterationOutput.Score.OutputParameters['score']")}
    sagemaker.returns["Score"] = {"score": "good"}
    arn = sagemaker.start(for_each(["a"], function("Score", "score"), Selector=selector))
    assert sagemaker.go(arn) == "Failed"
    assert sagemaker.steps(arn)["Each"]["FailureReason"] == "the selector compares 'good', which is no number"


def test_after_a_failure_no_further_step_starts_and_what_runs_may_end(sagemaker: LocalSageMaker) -> None:
    arn = sagemaker.start(for_each(["a", "b", "c"], fit()))
    sagemaker.go(arn)
    sagemaker.end("Fit-0", "Failed", FailureReason="AlgorithmError: bad")
    assert sagemaker.go(arn) == "Executing"
    sagemaker.end("Fit-1")
    assert sagemaker.go(arn) == "Failed"
    assert sagemaker.statuses(arn) == {"Each": "Failed", "Fit-0": "Failed", "Fit-1": "Succeeded"}
    assert sagemaker.steps(arn)["Each"]["FailureReason"] == "Fit-0 failed: ClientError: AlgorithmError: bad"
    assert outcome(sagemaker, arn)["FailedStepCount"] == 1


def test_a_failure_of_an_iteration_can_be_waited_for_as_that_of_the_step(sagemaker: LocalSageMaker) -> None:
    sagemaker.returns["Score"] = RuntimeError("no")
    saved = {**function("Rescue"), "DependsOn": [{"Step": "Each", "Trigger": "Failed"}]}
    arn = sagemaker.start(for_each(["a"], function("Score")), saved)
    assert sagemaker.go(arn) == "CompletedWithFailures"


def test_a_retry_runs_again_only_what_has_not_succeeded(sagemaker: LocalSageMaker) -> None:
    arn = sagemaker.start(for_each(["a", "b"], fit()))
    sagemaker.go(arn)
    sagemaker.end("Fit-0")
    sagemaker.end("Fit-1", "Failed", FailureReason="AlgorithmError: bad")
    assert sagemaker.go(arn) == "Failed"
    sagemaker.service.answer("RetryPipelineExecution", {"PipelineExecutionArn": arn, **TOKEN})
    sagemaker.go(arn)
    assert sagemaker.begun == ["Fit-0", "Fit-1", "Fit-1"]
    sagemaker.end("Fit-1")
    assert sagemaker.go(arn) == "Succeeded"


def test_a_retry_policy_repeats_a_step_of_an_iteration(sagemaker: LocalSageMaker) -> None:
    policy = {"ExceptionType": ["SageMaker.JOB_INTERNAL_ERROR"], "IntervalSeconds": 1, "MaxAttempts": 2}
    arn = sagemaker.start(for_each(["a"], fit(RetryPolicies=[policy])))
    sagemaker.go(arn)
    sagemaker.end("Fit-0", "Failed", FailureReason="InternalServerError: gone")
    sagemaker.go(arn)
    sagemaker.clock.sleep(2)
    assert sagemaker.go(arn) == "Executing"
    sagemaker.end("Fit-0")
    assert sagemaker.go(arn) == "Succeeded"


def test_a_stop_reaches_the_steps_of_the_iterations(sagemaker: LocalSageMaker) -> None:
    arn = sagemaker.start(for_each(["a", "b"], fit(), at_once=1))
    sagemaker.go(arn)
    sagemaker.service.answer("StopPipelineExecution", {"PipelineExecutionArn": arn, **TOKEN})
    assert sagemaker.go(arn) == "Stopped"
    assert sagemaker.statuses(arn) == {"Each": "Stopped", "Fit-0": "Stopped"}
    assert outcome(sagemaker, arn)["StoppedStepCount"] == 1


def test_a_restart_goes_on_where_the_iterations_were(sagemaker: LocalSageMaker) -> None:
    arn = sagemaker.start(for_each(["a", "b", "c"], fit()))
    sagemaker.go(arn)
    sagemaker.end("Fit-0")
    sagemaker.restart()
    sagemaker.go(arn)
    assert sagemaker.begun == ["Fit-0", "Fit-1", "Fit-2"]
    for name in ("Fit-1", "Fit-2"):
        sagemaker.end(name)
    sagemaker.restart()
    assert sagemaker.go(arn) == "Succeeded"


def test_a_selective_execution_of_the_step_runs_its_iterations_again(sagemaker: LocalSageMaker) -> None:
    steps = (function("First"), {**for_each(["a"], function("Score")), "DependsOn": ["First"]})
    before = sagemaker.start(*steps)
    assert sagemaker.go(before) == "Succeeded"
    selection = {"SourcePipelineExecutionArn": before, "SelectedSteps": [{"StepName": "Each"}]}
    arn = sagemaker.start(*steps, SelectiveExecutionConfig=selection)
    assert sagemaker.go(arn) == "Succeeded"
    assert sagemaker.begun == ["First", "Score-0", "Score-0"]


FIELD = get("IterationOutput.Fit.ModelArtifacts.S3ModelArtifacts")


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ((for_each([], fit()),), "IterableItems of Each is []"),
        ((for_each(["a"] * 101, fit()),), "IterableItems of Each is"),
        ((for_each("a", fit()),), "IterableItems of Each is"),
        ((for_each(["a"], fit(), at_once=51),), "MaxConcurrency of Each is 51"),
        ((for_each(["a"], fit(), at_once=get("Parameters.Epochs")),), "MaxConcurrency of Each is"),
        ((for_each(["a"]),), "Each has no steps in ForEachBody"),
        ((for_each(["a"], {"Name": "F", "Type": "Fail"}),), "F is a Fail step, which cannot be inside"),
        ((for_each(["a"], fit(), fit()),), "Fit inside of a ForEach step has the name of another step"),
        ((for_each(["a"], fit()), fit("Fit-1", "x")), "Fit inside of a ForEach step has the name of another step"),
        ((for_each(["a"], fit(), Selector={"Pick": "Best", "Field": FIELD}),), "its Pick is MaxBy or MinBy"),
        (
            (for_each(["a"], fit("F"), Selector={"Pick": "MaxBy", "Field": FIELD}),),
            "Field of Each's Selector is no value",
        ),
        ((for_each(["a"], fit(item=get("ForEach.CurrentItme"))),), "ForEach.CurrentItme"),
        ((for_each(["a"], fit(item=get("Steps.Nothing.A"))),), "there is no step Nothing"),
        ((fit("Alone"),), "ForEach.CurrentItem has a value inside of a ForEach step only"),
    ],
)
def test_what_the_service_refuses_is_refused_when_the_pipeline_is_created(
    sagemaker: LocalSageMaker, steps: tuple[dict[str, Any], ...], words: str
) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        sagemaker.start(*steps)
    assert words in str(refused.value)


def test_steps_of_a_body_that_wait_for_each_other_fail_the_step(sagemaker: LocalSageMaker) -> None:
    arn = sagemaker.start(for_each(["a"], {**fit(), "DependsOn": ["Fit"]}))
    assert sagemaker.go(arn) == "Failed"
    assert "wait for each other in a circle" in sagemaker.steps(arn)["Each"]["FailureReason"]


def test_a_step_inside_that_cannot_run_is_refused_at_the_start_by_its_name(sagemaker: LocalSageMaker) -> None:
    check = {"Name": "Check", "Type": "QualityCheck", "Arguments": {}}
    with pytest.raises(InvalidRequestError, match=r"runs no steps of these types: Check \(QualityCheck\)\."):
        sagemaker.start(for_each(["a"], check))
