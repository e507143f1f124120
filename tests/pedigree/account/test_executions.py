"""Which execution is meant, what stops and retries it, and how it is doing."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pedigree.account import executions, progress
from pedigree.account.account import Account
from pedigree.account.apply import apply_change
from pedigree.account.errors import AbsentError, CallRefusedError, DeniedError, TransientError
from pedigree.account.polling import PollOptions, poll
from pedigree.cli import execution_view
from tests.support.fakes.clients import FAULTS, CallLog, Fault, refusal
from tests.support.fakes.executions import (
    NOON,
    PIPELINE,
    Executions,
    ExecutionState,
    Logs,
    arn,
    job_metadata,
    listed_step,
)
from tests.support.fakes.served_services import account_with

BUSY = FAULTS["throttled"]


def account(fake: Executions, logs: Logs | None = None, wire: CallLog | None = None) -> Account:
    return account_with({"sagemaker": fake, "logs": logs or Logs()}, wire)


def three() -> Executions:
    fake = Executions()
    for identifier in ("abc1", "abd2", "xyz3"):
        fake.add(identifier)
    return fake


@pytest.mark.parametrize(
    ("name", "found"), [("", "xyz3"), ("abd", "abd2"), ("abc1", "abc1"), (arn("abd2"), "abd2"), ("x", "xyz3")]
)
def test_the_newest_is_meant_or_the_one_whose_id_begins_like_this(name: str, found: str) -> None:
    assert executions.choose(account(three()), PIPELINE, name).id == found


def test_an_id_that_is_the_beginning_of_another_means_itself() -> None:
    fake = three()
    fake.add("abc12")
    assert executions.choose(account(fake), PIPELINE, "abc1").id == "abc1"


@pytest.mark.parametrize(
    ("pipeline", "name", "message"),
    [
        (PIPELINE, "ab", r"2 executions begin with ab \(abd2, abc1, …\); write more of the id"),
        (PIPELINE, "q", "has no execution whose id begins with q; `pedigree executions` lists the last ones"),
        ("cats", "", "account 123456789012 has no pipeline cats in us-east-1; create it there, or name another"),
    ],
)
def test_a_name_that_fits_no_single_execution_is_reported(pipeline: str, name: str, message: str) -> None:
    with pytest.raises(AbsentError, match=message):
        executions.choose(account(three()), pipeline, name)


def test_a_pipeline_that_never_ran() -> None:
    with pytest.raises(AbsentError, match="has no executions yet; `pedigree start` starts one"):
        executions.choose(account(Executions()), PIPELINE)


def test_the_list_tells_how_each_ended_and_who_started_it() -> None:
    fake = three()
    fake.add("bad4", ExecutionState("Failed", reason="Step failure:\n one or more"))
    fake.add("run5", ExecutionState("Executing"), ExecutionState("Executing"))
    found = executions.newest(account(fake), PIPELINE, 2)
    assert [(execution.id, execution.status, execution.by, execution.reason) for execution in found] == [
        ("run5", "Executing", "pedigree-scheduler/abc", ""),
        ("bad4", "Failed", "pedigree-scheduler/abc", "Step failure: one or more"),
    ]
    assert found[0].ended is None
    assert found[1].ended == NOON + timedelta(minutes=90)


@pytest.mark.parametrize("status", ["Stopping", "Stopped", "Succeeded", "Failed", "CompletedWithFailures"])
def test_what_is_over_or_stopping_is_not_stopped_again(status: str) -> None:
    assert executions.stop(executions.Execution(arn("a"), status)) is None


def test_stopping_and_retrying() -> None:
    fake = Executions()
    fake.add("run", ExecutionState("Executing"))
    stop = executions.stop(executions.choose(account(fake), PIPELINE))
    assert stop is not None
    apply_change(stop, account(fake))
    assert [executions.described(account(fake), arn("run")).status for _ in range(2)] == ["Stopping", "Stopped"]
    apply_change(executions.retry(executions.choose(account(fake), PIPELINE)), account(fake))
    assert executions.described(account(fake), arn("run")).status == "Executing"


@pytest.mark.parametrize(
    ("status", "message"),
    [
        ("Executing", "only what has ended can be retried; follow it with `pedigree status a`"),
        ("Stopping", "only what has ended can be retried"),
        ("Succeeded", "there is nothing to retry; `pedigree start` starts another"),
    ],
)
def test_an_execution_that_cannot_be_retried_is_reported(status: str, message: str) -> None:
    with pytest.raises(CallRefusedError, match=message):
        executions.retry(executions.Execution(arn("a"), status))


def view_of(
    *steps: dict[str, object], status: str = "Executing", logs: Logs | None = None
) -> progress.ExecutionProgress:
    fake = Executions()
    fake.add("run", ExecutionState(status, tuple(steps)))
    return progress.progress_reader(account(fake, logs), PIPELINE, arn("run"))()


def test_every_step_of_the_definition_is_shown_also_before_it_begins() -> None:
    view = view_of(listed_step("PrepareData", "Succeeded"), listed_step("Tune", "Executing"))
    assert [(step.name, step.status) for step in view.steps] == [
        ("PrepareData", "Succeeded"),
        ("Tune", "Executing"),
        ("TrainBest", "Waiting"),
    ]
    assert [step.took(NOON + timedelta(hours=3, minutes=5)) for step in view.steps] == ["1 min", "3 h 5 min", ""]


def test_steps_that_never_ran_differ_from_steps_that_wait() -> None:
    view = view_of(listed_step("PrepareData", "Failed", FailureReason="no\nimages"), status="Failed")
    assert [step.status for step in view.steps] == ["Failed", "Not run", "Not run"]
    assert view.steps[0].reason == "no images"


def test_without_the_definition_the_steps_that_have_begun_are_shown() -> None:
    fake, wire = Executions(), CallLog()
    fake.add("run", ExecutionState("Executing", (listed_step("Tune", "Executing"),)))
    wire.break_on("sagemaker:DescribePipelineDefinitionForExecution", "AccessDeniedException", "not authorized")
    view = progress.progress_reader(account(fake, wire=wire), PIPELINE, arn("run"))()
    assert [step.name for step in view.steps] == ["Tune"]


@pytest.mark.parametrize(
    ("more", "notes"),
    [
        ({"CacheHitResult": {"SourcePipelineExecutionArn": arn("old")}}, ("reused from old",)),
        ({"SelectiveExecutionResult": {"SourcePipelineExecutionArn": arn("old")}}, ("taken from old",)),
        ({"AttemptCount": 3}, ("attempt 3",)),
        ({"Metadata": {"Condition": {"Outcome": "False"}}}, ("the condition is false",)),
        ({"Metadata": {"RegisterModel": {"Arn": "arn:aws:sagemaker:x:1:model-package/g/7"}}}, ("version 7",)),
        ({"Metadata": {"Callback": {"CallbackToken": "t"}}}, ("waits for an answer",)),
        ({"Metadata": {"Lambda": {"OutputParameters": [{"Name": "outcome", "Value": "fixed"}]}}}, ("outcome: fixed",)),
    ],
)
def test_what_is_worth_knowing_of_a_step(more: dict[str, object], notes: tuple[str, ...]) -> None:
    assert view_of(listed_step("Tune", "Executing", **more)).steps[1].notes == notes


def test_a_failed_job_shows_the_end_of_its_log_and_where_the_rest_is() -> None:
    lines = [f"line {n}" for n in range(100)] + ["progress 1\rprogress 2\r\nRuntimeError: out of memory\n"]
    streams = {"train-1/algo-1-17": ["waiting"], "train-1/algo-2-17": lines, "train-10/algo-1-17": ["another's"]}
    logs = Logs({"/aws/sagemaker/TrainingJobs": streams})
    view = view_of(
        listed_step("Tune", "Failed", Metadata=job_metadata("TrainingJob", "train-1")), status="Failed", logs=logs
    )
    tail = view.logs["Tune"]
    assert tail.log == "/aws/sagemaker/TrainingJobs train-1/algo-2-17"
    assert tail.lines == (*(f"line {n}" for n in range(82, 100)), "progress 2", "RuntimeError: out of memory")
    assert tail.link == (
        "https://us-east-1.console.aws.amazon.com/cloudwatch/home?region=us-east-1#logsV2:log-groups/log-group/"
        "$252Faws$252Fsagemaker$252FTrainingJobs$3FlogStreamNameFilter$3Dtrain-1"
    )


def test_a_failed_search_shows_the_log_of_the_training_that_failed_last() -> None:
    logs = Logs({"/aws/sagemaker/TrainingJobs": {"search-002-bad/algo-1-1": ["ValueError: no"]}})
    view = view_of(
        listed_step("Tune", "Failed", Metadata=job_metadata("TuningJob", "search")), status="Failed", logs=logs
    )
    assert view.logs["Tune"].lines == ("ValueError: no",)


def test_a_failed_function_shows_the_end_of_its_log() -> None:
    function = {"Lambda": {"Arn": "arn:aws:lambda:us-east-1:123456789012:function:sagemaker-deploy:live"}}
    logs = Logs({"/aws/lambda/sagemaker-deploy": {"2026/01/01/[1]abc": ["it was refused"]}})
    view = view_of(listed_step("Tune", "Failed", Metadata=function), status="Failed", logs=logs)
    assert view.logs["Tune"].lines == ("it was refused",)
    assert view.steps[1].job is not None
    assert view.steps[1].job.link("us-east-1").endswith("/lambda/home?region=us-east-1#/functions/sagemaker-deploy")


def test_a_log_that_is_not_there_or_may_not_be_read_does_not_hide_the_failure() -> None:
    failed = listed_step("Tune", "Failed", Metadata=job_metadata("ProcessingJob", "prepare"))
    assert view_of(failed, status="Failed").logs["Tune"].lines == ("nothing was written",)
    fake, wire = Executions(), CallLog()
    fake.add("run", ExecutionState("Failed", (failed,)))
    wire.break_on("logs:DescribeLogStreams", "AccessDeniedException", "Access denied")
    view = progress.progress_reader(account(fake, wire=wire), PIPELINE, arn("run"))()
    assert view.logs["Tune"].lines[0].startswith("the log cannot be read: arn:aws:iam::123456789012:user/me may not")


def test_a_log_is_read_once_and_again_after_a_retry() -> None:
    fake, wire = Executions(), CallLog()
    failed = ExecutionState("Executing", (listed_step("Tune", "Failed", Metadata=job_metadata("TrainingJob", "t")),))
    fake.add("run", failed, failed, ExecutionState("Executing", (listed_step("Tune", "Executing"),)), failed)
    look = progress.progress_reader(account(fake, wire=wire), PIPELINE, arn("run"))
    reads = []
    for _ in range(4):
        look()
        reads.append(wire.calls.count("logs:DescribeLogStreams"))
    assert reads == [1, 1, 1, 2]


def test_the_metrics_of_trainings_and_searches_are_shown() -> None:
    fake, wire = three(), CallLog()
    search = listed_step("Tune", "Executing", Metadata=job_metadata("TuningJob", "search"))
    training = listed_step("TrainBest", "Succeeded", Metadata=job_metadata("TrainingJob", "train"))
    fake.add("run", *[ExecutionState("Executing", (search, training))] * 3)
    fake.metrics = {"train": {"train:loss": 2.0, "validation:accuracy": 0.91234567}}
    look = progress.progress_reader(account(fake, wire=wire), PIPELINE, arn("run"))
    notes = {step.name: step.notes for step in look().steps}
    assert notes["Tune"] == ("0 of 4 trials",)
    assert notes["TrainBest"] == ("validation:accuracy 0.9123",)
    fake.metrics["search"] = {"validation:loss": 1.5}
    assert {step.name: step.notes for step in look().steps}["Tune"] == ("1 of 4 trials", "best validation:loss 1.5")
    assert wire.calls.count("sagemaker:DescribeTrainingJob") == 1


def test_a_step_that_begins_is_shown_with_its_console_page_where_one_exists() -> None:
    begun = view_of(listed_step("TrainBest", "Executing", Metadata=job_metadata("TrainingJob", "train"))).steps[-1]
    page = "https://us-east-1.console.aws.amazon.com/sagemaker/home?region=us-east-1#/jobs/train"
    assert execution_view.change(begun, "us-east-1", NOON).endswith(f"TrainBest Executing  {page}")
    assert execution_view.change(begun, "", NOON).endswith("TrainBest Executing")


def test_numbers_that_cannot_be_read_hold_nothing_up() -> None:
    fake, wire = three(), CallLog()
    fake.add(
        "run",
        ExecutionState("Executing", (listed_step("Tune", "Executing", Metadata=job_metadata("TrainingJob", "train")),)),
    )
    wire.break_on("sagemaker:DescribeTrainingJob", "AccessDeniedException", "no")
    notes = progress.progress_reader(account(fake, wire=wire), PIPELINE, arn("run"))().steps[1].notes
    assert notes[0].startswith("its metrics cannot be read: ")


def test_the_link_leads_to_studio_and_where_there_is_none_to_its_page() -> None:
    assert view_of().link == (
        "https://studio-d-abc.studio.us-east-1.sagemaker.aws/pipelines/view/dog-breeds/executions/run/graph"
    )
    fake, wire = Executions(domains=[]), CallLog()
    fake.add("run")
    console = "https://us-east-1.console.aws.amazon.com/sagemaker/home?region=us-east-1#/studio"
    assert progress.progress_reader(account(fake), PIPELINE, arn("run"))().link == console
    wire.break_on("sagemaker:ListDomains", "AccessDeniedException", "no")
    assert progress.progress_reader(account(three(), wire=wire), PIPELINE, arn("abc1"))().link == console


def watch(on: Account, lines: list[str], at_most: float = 3600) -> PollOptions:
    return PollOptions(on.clock, 10, at_most, lines.append)


def test_looking_goes_on_while_aws_is_busy() -> None:
    fake, wire, lines = Executions(), CallLog(), list[str]()
    fake.add("run", ExecutionState("Executing"), ExecutionState("Executing"), ExecutionState("Succeeded"))
    on = account(fake, wire=wire)
    statuses = []
    for execution in poll(lambda: executions.described(on, arn("run")), watch(on, lines)):
        statuses.append(execution.status)
        wire.break_at(0, BUSY)
        if execution.is_over:
            break
    assert statuses == ["Executing", "Executing", "Succeeded"]
    assert len(lines) == 2
    assert lines[0].startswith("no answer, asked again in 10 s: sagemaker:DescribePipelineExecution: AWS is asked too")


def test_a_short_wait_is_not_said_to_take_no_time() -> None:
    fake, wire, lines = Executions(), CallLog(), list[str]()
    fake.add("run", ExecutionState("Executing"), ExecutionState("Succeeded"))
    on = account(fake, wire=wire)
    wire.break_at(0, BUSY)
    next(poll(lambda: executions.described(on, arn("run")), PollOptions(on.clock, 0.5, 60, lines.append)))
    assert lines[0].startswith("no answer, asked again: sagemaker:DescribePipelineExecution")


def test_looking_ends_when_its_time_is_up() -> None:
    fake = Executions()
    fake.add("run", ExecutionState("Executing"))
    on = account(fake)
    assert len(list(poll(lambda: executions.described(on, arn("run")), watch(on, [], 60)))) == 7


def test_an_aws_that_never_answers_is_reported_in_the_end() -> None:
    fake, wire, lines = three(), CallLog(), list[str]()
    on = account(fake, wire=wire)
    wire.break_at(0, FAULTS["down from then on"])
    with pytest.raises(TransientError):
        list(poll(lambda: executions.described(on, arn("abc1")), watch(on, lines)))
    assert on.clock.monotonic() == 610


def test_a_lasting_error_is_reported_at_once() -> None:
    fake, wire = three(), CallLog()
    on = account(fake, wire=wire)
    wire.break_at(0, Fault(lambda name: refusal(name, "AccessDeniedException", "no")))
    with pytest.raises(DeniedError):
        next(poll(lambda: executions.described(on, arn("abc1")), watch(on, [])))
