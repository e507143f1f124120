"""The log of an execution: nothing is lost, nothing comes twice, and a step without lines says why."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from pedigree.account.errors import InvalidInputError, TransientError
from pedigree.account.execution_logs import ExecutionLogs
from pedigree.account.step_logs import LogFilter
from tests.support.fakes.clients import FAULTS, CallLog
from tests.support.fakes.clock import SimulatedClock
from tests.support.fakes.executions import NOON, Executions, ExecutionState, arn, job_metadata, listed_step
from tests.support.fakes.log_groups import LogGroups
from tests.support.fakes.served_services import account_with

TRAININGS, PROCESSINGS, FUNCTION = "/aws/sagemaker/TrainingJobs", "/aws/sagemaker/ProcessingJobs", "/aws/lambda/deploy"
ALL = LogFilter()
STEPS = {
    "Prepare": "Processing",
    "Tune": "Tuning",
    "Train": "Training",
    "Deploy": "Lambda",
    "Gate": "Condition",
    "Each": "ForEach",
}
T0 = int(NOON.timestamp() * 1000)


@dataclass
class Searches(Executions):
    """Executions whose search has these trials."""

    definition: str = json.dumps(
        {"Version": "2020-12-01", "Steps": [{"Name": n, "Type": t, "Arguments": {}} for n, t in STEPS.items()]}
    )
    trials: list[str] = field(default_factory=list)

    def list_training_jobs_for_hyper_parameter_tuning_job(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"TrainingJobSummaries": [{"TrainingJobName": name} for name in self.trials]}


@dataclass
class Run:
    """An execution with steps, and what has been read of its log."""

    steps: tuple[dict[str, Any], ...]
    wanted: LogFilter = ALL
    groups: LogGroups = field(default_factory=LogGroups)
    wire: CallLog = field(default_factory=CallLog)
    fake: Searches = field(default_factory=Searches)
    status: str = "Executing"

    def open(self) -> ExecutionLogs:
        self.fake.add("run", ExecutionState(self.status, self.steps))
        services = {"sagemaker": self.fake, "logs": self.groups}
        return ExecutionLogs(account_with(services, self.wire, SimulatedClock()), arn("run"), self.wanted)

    def becomes(self, *steps: dict[str, Any], status: str = "Executing") -> None:
        self.fake.states["run"] = [ExecutionState(status, steps)]


def lines(logs: ExecutionLogs) -> list[str]:
    """What is new."""
    logs.refresh()
    return [f"{event.label}: {event.message}" for event in logs.new_events()]


def step(name: str, kind: str, job: str, status: str = "Executing", **more: Any) -> dict[str, Any]:
    return listed_step(name, status, Metadata=job_metadata(kind, job), **more)


DEPLOYING = {"Lambda": {"Arn": "arn:aws:lambda:us-east-1:123456789012:function:deploy:live"}}
TRAIN = step("Train", "TrainingJob", "train-1")
PREPARE = step("Prepare", "ProcessingJob", "prepare-1")


@pytest.mark.parametrize("page", [1, 2, 3, 100])
@pytest.mark.parametrize("has_empty_pages", [True, False])
def test_all_pages_of_all_streams_come_once_and_in_order_of_time(page: int, has_empty_pages: bool) -> None:
    run = Run((PREPARE, TRAIN), groups=LogGroups(page=page, has_empty_pages=has_empty_pages))
    expected = []
    for number in range(30):
        group, stream, label = [
            (PROCESSINGS, "prepare-1/algo-1-1767268800", "Prepare"),
            (TRAININGS, "train-1/algo-1-1767268800", "Train"),
            (TRAININGS, "train-1/algo-2-1767268800", "Train/algo-2"),
        ][number % 3]
        run.groups.add(group, stream, (T0 + number, f"line {number}"))
        expected.append(f"{label}: line {number}")
    run.groups.add(TRAININGS, "train-10/algo-1-1767268800", (T0, "another job, whose name begins alike"))
    assert lines(run.open()) == expected


def test_what_comes_later_is_read_from_where_it_ended_with_new_hosts_and_steps() -> None:
    run = Run((TRAIN,))
    run.groups.add(TRAININGS, "train-1/algo-1-1767268800", *[(T0, f"first {number}") for number in range(5)])
    logs = run.open()
    assert lines(logs) == [f"Train: first {number}" for number in range(5)]
    assert lines(logs) == []
    run.groups.add(TRAININGS, "train-1/algo-1-1767268800", (T0, "the same moment"))
    run.groups.add(TRAININGS, "train-1/algo-3-1767268800", (T0 - 5, "a late host"))
    run.groups.add(PROCESSINGS, "prepare-1/algo-1-1767268800", (T0 + 9, "a new step"))
    run.becomes(TRAIN, PREPARE)
    assert lines(logs) == ["Train/algo-3: a late host", "Train: the same moment", "Prepare: a new step"]


def test_all_trials_of_a_search_are_read() -> None:
    run = Run((step("Tune", "TuningJob", "search"),))
    run.fake.trials = ["search-001-aa", "search-002-bb"]
    for number, name in enumerate(run.fake.trials):
        run.groups.add(TRAININGS, f"{name}/algo-1-1767268800", (T0 + number, f"trial {number}"))
    logs = run.open()
    assert lines(logs) == ["Tune/001-aa: trial 0", "Tune/002-bb: trial 1"]
    run.fake.trials.append("search-003-cc")
    run.groups.add(TRAININGS, "search-003-cc/algo-1-1767268800", (T0, "third"))
    assert lines(logs) == ["Tune/003-cc: third"]


def test_a_function_gives_what_it_wrote_in_the_time_of_its_step() -> None:
    run = Run((listed_step("Deploy", "Executing", Metadata=DEPLOYING),))
    run.groups.add(FUNCTION, "2026/01/01/[1]a", (T0 - 1, "before"), (T0, "ours"), (T0 + 2, "ours too"))
    logs = run.open()
    assert lines(logs) == ["Deploy: ours", "Deploy: ours too"]
    run.groups.add(FUNCTION, "2026/01/01/[1]b", (T0 + 1, "late"), (T0 + 60_900, "report"), (T0 + 70_000, "another's"))
    run.becomes(listed_step("Deploy", "Succeeded", Metadata=DEPLOYING), status="Succeeded")
    assert lines(logs) == ["Deploy: late", "Deploy: report"]
    assert lines(logs) == []


def test_checks_and_endpoints_have_logs_too() -> None:
    check = listed_step("Prepare", "Executing", Metadata={"QualityCheck": {"CheckJobArn": "a:b:processing-job/check"}})
    endpoint = listed_step("Train", "Executing", Metadata={"Endpoint": {"Arn": "a:b:endpoint/dogs"}})
    run = Run((check, endpoint))
    run.groups.add(PROCESSINGS, "check/algo-1-1767268800", (T0, "checked"))
    run.groups.add("/aws/sagemaker/Endpoints/dogs", "AllTraffic/i-0", (T0 + 1, "serving"))
    assert lines(run.open()) == ["Prepare: checked", "Train: serving"]


@pytest.mark.parametrize("fault", ["throttled", "not connected", "answer lost"])
def test_a_call_that_fails_loses_and_doubles_nothing(fault: str) -> None:
    def create() -> Run:
        run = Run((PREPARE, TRAIN))
        for number in range(6):
            run.groups.add(TRAININGS, f"train-1/algo-{1 + number % 2}-1767268800", (T0 + number, f"{number}"))
            run.groups.add(PROCESSINGS, "prepare-1/algo-1-1767268800", (T0 + number, f"{number}"))
        return run

    untroubled = create()
    expected = lines(untroubled.open())
    for call in range(2, len(untroubled.wire.calls)):
        run, found = create(), list[str]()
        logs = run.open()
        run.wire.break_at(call, FAULTS[fault])
        for _ in range(2):
            try:
                logs.refresh()
                found.extend(f"{event.label}: {event.message}" for event in logs.new_events())
            except TransientError:
                run.wire.mend()
        found.extend(lines(logs))
        assert sorted(found) == sorted(expected), call


def test_only_wanted_lines_are_read() -> None:
    moment = NOON + dt.timedelta(seconds=3)
    run = Run((PREPARE, TRAIN), LogFilter(("Train",), host="algo-2", since=moment))
    for host in (1, 2):
        run.groups.add(TRAININGS, f"train-1/algo-{host}-1767268800", (T0, "early"), (T0 + 3000, f"late {host}"))
    run.groups.add(PROCESSINGS, "prepare-1/algo-1-1767268800", (T0 + 3000, "of another step"))
    assert lines(run.open()) == ["Train/algo-2: late 2"]


def test_only_the_wanted_trial_is_read() -> None:
    run = Run((step("Tune", "TuningJob", "search"),), LogFilter(job="002"))
    run.fake.trials = ["search-001-aa", "search-002-bb"]
    for name in run.fake.trials:
        run.groups.add(TRAININGS, f"{name}/algo-1-1767268800", (T0, "x"))
    assert lines(run.open()) == ["Tune/002-bb: x"]


REUSED = step(
    "Train", "TrainingJob", "train-1", "Succeeded", CacheHitResult={"SourcePipelineExecutionArn": arn("old1")}
)


@pytest.mark.parametrize(
    ("steps", "name", "is_over", "reason"),
    [
        ((), "Train", False, "Train has not started"),
        ((), "Train", True, "Train did not run"),
        ((listed_step("Gate", "Succeeded"),), "Gate", True, "Gate is a Condition step, which writes no log"),
        ((TRAIN,), "Train", False, f"Train wrote nothing to {TRAININGS} train-1"),
        (
            (listed_step("Deploy", "Executing", Metadata=DEPLOYING),),
            "Deploy",
            True,
            f"Deploy wrote nothing to {FUNCTION}",
        ),
        (
            (listed_step("Train", "Failed", FailureReason="no such role"),),
            "Train",
            True,
            "Train started no job with a log: no such role",
        ),
    ],
)
def test_a_step_without_lines_says_why(
    steps: tuple[dict[str, Any], ...], name: str, is_over: bool, reason: str
) -> None:
    logs = Run(steps, LogFilter((name,))).open()
    assert lines(logs) == []
    assert list(logs.reasons(is_over=is_over)) == [reason]


def test_a_reused_step_names_the_execution_that_ran_it() -> None:
    run = Run((REUSED,))
    run.groups.add(TRAININGS, "train-1/algo-1-1767268800", (T0, "of the other execution"))
    logs = run.open()
    assert lines(logs) == []
    assert logs.reused() == {"Train": "old1"}


def test_without_any_line_one_reason_stands_for_all_steps() -> None:
    logs = Run((TRAIN,), LogFilter(host="algo-9")).open()
    lines(logs)
    assert list(logs.reasons(is_over=False)) == ["no step has written a line that fits the options yet"]


def test_an_unknown_step_is_reported_with_the_nearest_name() -> None:
    with pytest.raises(InvalidInputError, match=r"Trian is not a step of execution run; did you mean Train\?"):
        Run((), LogFilter(("Trian",))).open()


def test_a_job_that_ended_long_ago_is_not_read_again() -> None:
    run = Run((step("Train", "TrainingJob", "train-1", "Succeeded"),), status="Succeeded")
    run.groups.add(TRAININGS, "train-1/algo-1-1767268800", (T0, "done"))
    logs = run.open()
    assert lines(logs) == ["Train: done"]
    calls = run.wire.calls.count("logs:GetLogEvents")
    assert lines(logs) == []
    assert run.wire.calls.count("logs:GetLogEvents") == calls


def iteration(index: int) -> dict[str, Any]:
    context = {"ParentStepName": "Each", "Index": index, "Item": "x"}
    return step(f"Fit-{index}", "TrainingJob", f"fit-{index}", IterationContext=context)


@pytest.mark.parametrize(("name", "expected"), [("Each", ["Fit-0: 0", "Fit-1: 1"]), ("Fit-1", ["Fit-1: 1"])])
def test_the_steps_of_iterations_can_be_named_alone_and_by_their_step(name: str, expected: list[str]) -> None:
    steps = (TRAIN, listed_step("Each", "Executing"), iteration(0), iteration(1))
    run = Run(steps, LogFilter((name,)))
    for index in range(2):
        run.groups.add(TRAININGS, f"fit-{index}/algo-1-1767268800", (T0 + index, str(index)))
    logs = run.open()
    assert lines(logs) == expected
    assert list(logs.reasons(is_over=False)) == []


def test_a_step_of_no_iteration_is_a_mistake() -> None:
    with pytest.raises(InvalidInputError, match="Fit-7 is not a step of execution run"):
        Run((iteration(0),), LogFilter(("Fit-7",))).open()
