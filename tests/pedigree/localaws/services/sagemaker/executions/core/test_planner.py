"""Which steps start next, and when an execution is over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pedigree.language.definition import read
from pedigree.language.errors import DefinitionError
from pedigree.localaws.services.sagemaker.executions.core.planner import (
    Admit,
    EndExecution,
    Graph,
    StepProgress,
    StepSchedule,
    graph,
)

MANY = 100


def node(name: str, *after: str, **members: Any) -> dict[str, Any]:
    """A step that takes something from others."""
    inputs = {f"in{index}": {"Get": f"Steps.{step}.OutputParameters['out']"} for index, step in enumerate(after)}
    outputs = [{"OutputName": "out", "OutputType": "String"}]
    return {"Name": name, "Type": "Lambda", "Arguments": inputs, "OutputParameters": outputs, **members}


def gate(name: str, after: str, then: list[dict[str, Any]], otherwise: list[dict[str, Any]]) -> dict[str, Any]:
    compared = {"Type": "Equals", "LeftValue": {"Get": f"Steps.{after}.OutputParameters['out']"}, "RightValue": "x"}
    return {
        "Name": name,
        "Type": "Condition",
        "Arguments": {"Conditions": [compared], "IfSteps": then, "ElseSteps": otherwise},
    }


def graph_of(*steps: dict[str, Any]) -> Graph:
    return graph(read({"Steps": list(steps)}))


def actions(graph: Graph, statuses: Mapping[str, str], limit: int = MANY, *, is_stopping: bool = False) -> list[Any]:
    """The next actions, given statuses; a condition's is the branch that it took."""
    outcomes = {"true": True, "false": False}
    steps = {
        name: StepProgress("Succeeded", outcomes[status]) if status in outcomes else StepProgress(status)  # type: ignore[arg-type]
        for name, status in statuses.items()
    }
    return StepSchedule(graph, steps).next_actions(limit, is_stopping=is_stopping)


def starts(*names: str) -> list[Admit]:
    return [Admit(name) for name in names]


DIAMOND = (node("A"), node("B", "A"), node("C", "A"), node("D", "B", "C"))
BRANCHES = (node("A"), gate("G", "A", [node("Yes"), node("Later", "Yes")], [node("No")]))


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ({}, starts("A")),
        ({"A": "Executing"}, []),
        ({"A": "Succeeded"}, starts("B", "C")),
        ({"A": "Succeeded", "B": "Succeeded", "C": "Executing"}, []),
        ({"A": "Succeeded", "B": "Succeeded", "C": "Succeeded"}, starts("D")),
        ({"A": "Succeeded", "B": "Succeeded", "C": "Succeeded", "D": "Succeeded"}, [EndExecution("Succeeded")]),
    ],
)
def test_a_step_starts_when_all_that_it_takes_is_there(statuses: dict[str, str], expected: list[Any]) -> None:
    assert actions(graph_of(*DIAMOND), statuses) == expected


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ({"A": "Succeeded"}, starts("G")),
        ({"A": "Succeeded", "G": "true"}, starts("Yes")),
        ({"A": "Succeeded", "G": "false"}, starts("No")),
        ({"A": "Succeeded", "G": "true", "Yes": "Succeeded"}, starts("Later")),
        ({"A": "Succeeded", "G": "false", "No": "Succeeded"}, [EndExecution("Succeeded")]),
    ],
)
def test_a_condition_lets_one_branch_start(statuses: dict[str, str], expected: list[Any]) -> None:
    assert actions(graph_of(*BRANCHES), statuses) == expected


def test_no_more_steps_run_at_once_than_allowed() -> None:
    fan = graph_of(node("A"), *(node(f"N{index}", "A") for index in range(5)))
    assert actions(fan, {"A": "Succeeded"}, 2) == starts("N0", "N1")
    assert actions(fan, {"A": "Succeeded", "N0": "Executing"}, 2) == starts("N1")
    assert actions(fan, {"A": "Succeeded", "N0": "Starting", "N1": "Stopping"}, 2) == []


def test_after_a_failure_nothing_starts_and_what_runs_is_let_finish() -> None:
    diamond = graph_of(*DIAMOND, node("E"), node("F", "E"))
    running = {"A": "Succeeded", "B": "Failed", "C": "Executing", "E": "Executing"}
    assert actions(diamond, running) == []
    assert actions(diamond, {**running, "C": "Succeeded"}) == []
    (end,) = actions(diamond, {**running, "C": "Succeeded", "E": "Succeeded"})
    assert (end.status, end.reason) == ("Failed", "Step failure: One or multiple steps failed.")


@pytest.mark.parametrize("trigger", ["Failed", "Any"])
def test_a_failure_that_another_step_waits_for_is_handled(trigger: str) -> None:
    rescued = graph_of(
        node("A"),
        node("Rescue", DependsOn=[{"Step": "A", "Trigger": trigger}]),
        node("After", "Rescue"),
        node("Other", "A"),
    )
    assert actions(rescued, {"A": "Failed"}) == starts("Rescue")
    assert actions(rescued, {"A": "Failed", "Rescue": "Succeeded"}) == starts("After")
    assert actions(rescued, {"A": "Failed", "Rescue": "Succeeded", "After": "Succeeded"}) == [
        EndExecution("CompletedWithFailures")
    ]


def test_what_waits_for_a_failure_does_not_start_after_success() -> None:
    rescued = graph_of(node("A"), node("Rescue", DependsOn=[{"Step": "A", "Trigger": "Failed"}]))
    assert actions(rescued, {"A": "Succeeded"}) == [EndExecution("Succeeded")]


def test_stopping_starts_nothing_and_waits_for_what_runs() -> None:
    diamond = graph_of(*DIAMOND)
    assert actions(diamond, {"A": "Succeeded", "B": "Stopping"}, is_stopping=True) == []
    assert actions(diamond, {"A": "Succeeded", "B": "Stopped"}, is_stopping=True) == [EndExecution("Stopped")]


def test_steps_that_wait_for_each_other_are_refused() -> None:
    with pytest.raises(DefinitionError, match="A, B wait for each other"):
        graph_of(node("A", "B"), node("B", "A"), node("C"))


def test_a_dependency_on_an_unknown_step_is_refused() -> None:
    with pytest.raises(DefinitionError, match="A depends on Nobody"):
        graph_of(node("A", DependsOn=["Nobody"]))


def test_a_long_chain_needs_no_deep_recursion() -> None:
    chain = graph_of(*(node(f"N{index}", *([f"N{index - 1}"] if index else [])) for index in reversed(range(3000))))
    assert actions(chain, {}) == starts("N0")


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[dict[str, Any]], int]:
    """Any steps that take from earlier ones, in any order in the document, and how many may run at once."""
    count = draw(st.integers(1, 12))
    steps = [
        node(
            f"N{index}",
            *sorted({f"N{index}" for index in draw(st.lists(st.integers(0, index - 1), max_size=3))}) if index else (),
        )
        for index in range(count)
    ]
    return draw(st.permutations(steps)), draw(st.integers(1, 4))


@given(graphs(), st.data())
def test_every_step_runs_once_after_all_that_it_takes(
    drawn: tuple[list[dict[str, Any]], int], data: st.DataObject
) -> None:
    steps, limit = drawn
    graph, statuses, ended = graph_of(*steps), dict[str, str](), list[str]()
    schedule = StepSchedule(graph)  # updated step by step, it equals a new one
    takes = {step["Name"]: {argument["Get"].split(".")[1] for argument in step["Arguments"].values()} for step in steps}
    while (now := actions(graph, statuses, limit)) != [EndExecution("Succeeded")]:
        assert schedule.next_actions(limit) == now
        for action in now:
            assert action.step not in statuses
            assert takes[action.step] <= set(ended)
            statuses[action.step] = "Executing"
            schedule.record(action.step, StepProgress("Executing"))
        running = [name for name, status in statuses.items() if status == "Executing"]
        assert 1 <= len(running) <= limit
        done = data.draw(st.sampled_from(running))
        statuses[done] = "Succeeded"
        schedule.record(done, StepProgress("Succeeded"))
        ended.append(done)
    assert sorted(ended) == sorted(takes)
