"""Selective execution: what cannot be selected is reported before the start, and the source has what is needed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pedigree.account.apply import apply_change
from pedigree.account.errors import AbsentError, InvalidInputError
from pedigree.account.start import StartRequest, start
from tests.support.fakes.executions import PIPELINE, Executions, ExecutionState, arn, listed_step
from tests.support.fakes.served_services import account_with


def step(name: str, *before: str, **more: Any) -> dict[str, Any]:
    """A training step that uses a result of each of these."""
    inputs = {f"from-{other}": {"Get": f"Steps.{other}.ModelArtifacts.S3ModelArtifacts"} for other in before}
    return {"Name": name, "Type": "Training", "Arguments": {"HyperParameters": inputs}, **more}


GATE = {
    "Name": "Gate",
    "Type": "Condition",
    "Arguments": {
        "Conditions": [{"Type": "Equals", "LeftValue": {"Get": "Steps.Evaluate.TrainingJobStatus"}, "RightValue": "x"}],
        "IfSteps": [step("Register", "Evaluate")],
        "ElseSteps": [],
    },
}
DEFINITION = {
    "Version": "2020-12-01",
    "Steps": [
        step("Prepare"),
        step("Tune", "Prepare"),
        step("Best", "Prepare", "Tune"),
        step("Evaluate", "Best"),
        GATE,
    ],
}
ALL = ("Prepare", "Tune", "Best", "Evaluate")


def fake_with(*executions: ExecutionState) -> Executions:
    """A pipeline with executions e1, e2 and so on, the newest last."""
    fake = Executions(definition=json.dumps(DEFINITION))
    for number, state in enumerate(executions, 1):
        fake.add(f"e{number}", state)
    return fake


def ended(status: str, *succeeded: str, failed: str = "") -> ExecutionState:
    steps = [listed_step(name, "Succeeded") for name in succeeded]
    return ExecutionState(status, (*steps, *([listed_step(failed, "Failed")] if failed else [])))


def started(fake: Executions, *only: str, source: str = "") -> Any:
    """The SelectiveExecutionConfig with which an execution starts."""
    account = account_with({"sagemaker": fake})
    apply_change(start(account, PIPELINE, StartRequest((), only=only, source=source)), account)
    return fake.started[-1]["SelectiveExecutionConfig"]


def refusals(fake: Executions, *only: str, source: str = "") -> list[str]:
    with pytest.raises(InvalidInputError) as raised:
        started(fake, *only, source=source)
    assert not fake.started
    return [str(mistake) for mistake in raised.value.mistakes]


def test_selected_steps_continue_the_newest_execution_that_has_what_they_need() -> None:
    fake = fake_with(ended("Succeeded", *ALL), ended("Failed", *ALL[:3], failed="Evaluate"), ended("Failed", "Prepare"))
    assert started(fake, "Evaluate") == {
        "SelectedSteps": [{"StepName": "Evaluate"}],
        "SourcePipelineExecutionArn": arn("e2"),
    }


def test_an_execution_that_was_stopped_or_runs_is_not_continued() -> None:
    fake = fake_with(ended("Succeeded", *ALL), ended("Stopped", *ALL), ended("Executing", *ALL))
    assert started(fake, "Best")["SourcePipelineExecutionArn"] == arn("e1")


def test_a_named_execution_is_continued() -> None:
    fake = fake_with(ended("Succeeded", *ALL), ended("Succeeded", *ALL))
    assert started(fake, "Best", source="e1")["SourcePipelineExecutionArn"] == arn("e1")
    assert started(fake, "Best", source=arn("e1"))["SourcePipelineExecutionArn"] == arn("e1")


def test_steps_that_need_nothing_continue_nothing() -> None:
    assert started(fake_with(), "Prepare", "Tune", "Prepare") == {
        "SelectedSteps": [{"StepName": "Prepare"}, {"StepName": "Tune"}]
    }


def test_the_plan_says_what_runs_and_from_where() -> None:
    account = account_with({"sagemaker": fake_with(ended("Succeeded", *ALL))})
    change = start(account, PIPELINE, StartRequest((), only=("Best",)))
    assert change.why[1:] == ("only Best", "with the results of Prepare, Tune from execution e1")


@pytest.mark.parametrize(
    ("only", "messages"),
    [
        (("Evalute",), ["Evalute is not a step of the pipeline; did you mean Evaluate?"]),
        (
            ("Xyz", "Tun"),
            [
                "Xyz is not a step of the pipeline; there are Prepare, Tune, Best, Evaluate, Gate, Register",
                "Tun is not a step of the pipeline; did you mean Tune?",
            ],
        ),
        (("Tune", "Evaluate"), ["Best lies between the selected steps; add --only Best"]),
        (("Prepare", "Gate"), ["Tune, Best, Evaluate lie between the selected steps; add --only Tune,Best,Evaluate"]),
        (("Evaluate", "Register"), ["Gate lies between the selected steps; add --only Gate"]),
        (
            ("Evaluate",),
            [
                "Evaluate needs the results of Best, and no execution has all of them; "
                "add --only Best, or start the whole pipeline"
            ],
        ),
    ],
)
def test_a_selection_that_cannot_run_is_reported_before_it_starts(only: tuple[str, ...], messages: list[str]) -> None:
    assert refusals(fake_with(ended("Failed", "Prepare")), *only) == messages


def test_an_execution_takes_no_more_selected_steps_than_the_service() -> None:
    fake = fake_with()
    fake.definition = json.dumps({"Version": "2020-12-01", "Steps": [step(f"S{number}") for number in range(51)]})
    names = [f"S{number}" for number in range(51)]
    assert refusals(fake, *names) == ["51 steps are selected, and an execution takes 50; select fewer"]


def test_a_named_execution_that_lacks_a_result_is_reported_with_the_step() -> None:
    fake = fake_with(ended("Failed", "Prepare", failed="Tune"), ended("Stopped", *ALL))
    assert refusals(fake, "Best", source="e1") == [
        "in execution e1, Tune is Failed, and a selected step uses its result; "
        "name another with --from, or add --only Tune"
    ]
    assert refusals(fake, "Evaluate", source="e1") == [
        "in execution e1, Best did not run, and a selected step uses its result; "
        "name another with --from, or add --only Best"
    ]
    assert refusals(fake, "Best", source="e2") == [
        "execution e2 is Stopped, and only one that succeeded or failed can be continued; name another with --from"
    ]
    with pytest.raises(AbsentError, match="has no execution whose id begins with q"):
        started(fake, "Best", source="q")
