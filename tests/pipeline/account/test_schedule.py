"""The schedule in an account: created, updated, paused, resumed and removed; other schedules are never touched."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import pytest
from botocore.loaders import Loader

from pedigree.account.account import Account
from pedigree.account.errors import AbsentError, InvalidInputError, NameTakenError, ScheduleEndedError
from pedigree.account.plan import ApiCall, plan
from pipeline.account.managed_pipeline import managed_pipeline
from pipeline.account.schedule import (
    ManagedSchedule,
    Removal,
    Switch,
    dead_letters,
    existing,
    managed_schedule,
    request,
)
from pipeline.account.schedule_status import lines, status
from pipeline.account.schedule_target import check
from pipeline.settings.tree import Settings
from tests.policies.operator_actions import actions, refused
from tests.support.accounts import RecordedClients, apply_resources, client, reasons
from tests.support.definitions import CODE, configure
from tests.support.fakes.aws import ACCOUNT, REGION
from tests.support.fixed_clock import NOW, FixedClock, account

CALLS_OF_COSTS = (
    *("DescribeHyperParameterTuningJob", "DescribeProcessingJob", "DescribeTrainingJob", "ListPipelineExecutions"),
    *("ListPipelineExecutionSteps", "ListTrainingJobsForHyperParameterTuningJob"),
)
ARN = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:pipeline/dog-breeds"
VALUES = {
    "schedule.expression": "cron(30 2 ? * SUN *)",
    "schedule.timezone": "Europe/Berlin",
    "schedule.parameters": {"Epochs": 10, "AccuracyThreshold": 0.00001, "ModelApprovalStatus": "PendingManualApproval"},
}


pytestmark = pytest.mark.usefixtures("empty_account")


def chosen(values: Mapping[str, Any] | None = None) -> Settings:
    return configure({"site.account": ACCOUNT, **(values or {})})


def resource(values: Mapping[str, Any] | None = None) -> ManagedSchedule:
    return managed_schedule(chosen(values))


def there() -> dict[str, Any]:
    found: dict[str, Any] = client("scheduler").get_schedule(Name="dog-breeds")
    return found


def made(values: Mapping[str, Any] | None = None) -> list[str]:
    return reasons(apply_resources([resource(values)], account()))


def test_it_is_made_with_its_values_and_its_times_are_shown_before() -> None:
    planned = plan([resource(VALUES)], account())
    assert [f"{change.verb} {change.kind} {change.name}" for change in planned.changes] == [
        "create queue dog-breeds-schedule-dead",
        "create schedule dog-breeds",
    ]
    assert reasons(planned) == [
        "cron(30 2 ? * SUN *) in Europe/Berlin fires",
        *(f"  Sun {day} 02:30 CET (+0100)" for day in ("2026-11-22", "2026-11-29", "2026-12-06", "2026-12-13")),
        "  Sun 2026-12-20 02:30 CET (+0100)",
    ]
    apply_resources([resource(VALUES)], account())
    assert there()["ScheduleExpressionTimezone"] == "Europe/Berlin"
    assert there()["Target"] == {
        "Arn": ARN,
        "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/pedigree-scheduler",
        "RetryPolicy": {"MaximumEventAgeInSeconds": 3600, "MaximumRetryAttempts": 3},
        "DeadLetterConfig": {"Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:dog-breeds-schedule-dead"},
        "SageMakerPipelineParameters": {
            "PipelineParameterList": [
                {"Name": "Epochs", "Value": "10"},
                {"Name": "AccuracyThreshold", "Value": "1e-05"},
                {"Name": "ModelApprovalStatus", "Value": "PendingManualApproval"},
            ]
        },
    }


def test_the_queue_of_failed_starts_is_encrypted() -> None:
    made()
    sqs = client("sqs")
    url = sqs.get_queue_url(QueueName="dog-breeds-schedule-dead")["QueueUrl"]
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert found["SqsManagedSseEnabled"] == "true"


def test_without_a_queue_failed_starts_go_nowhere() -> None:
    made({"schedule.dead_letter_queue": False})
    assert "DeadLetterConfig" not in there()["Target"]
    assert client("sqs").list_queues().get("QueueUrls", []) == []


def test_a_second_look_reads_only() -> None:
    made(VALUES)
    watched = RecordedClients()
    assert not plan([resource(VALUES)], account(watched))
    assert watched.writing() == []


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"schedule.expression": "rate(7 days)"}, "expression: cron(30 2 ? * SUN *) → rate(7 days)"),
        ({"schedule.timezone": "UTC"}, "timezone: Europe/Berlin → UTC"),
        ({"schedule.parameters": {}}, "parameters.Epochs removed: 10"),
        ({"schedule.parameters": {**VALUES["schedule.parameters"], "Epochs": 5}}, "parameters.Epochs: 10 → 5"),  # type: ignore[dict-item]
        ({"schedule.max_retries": 0}, "retries: 3 → 0"),
        ({"schedule.max_event_age_seconds": 60}, "event age: 3600 → 60"),
        (
            {"schedule.dead_letter_queue": False},
            f"dead letters: arn:aws:sqs:{REGION}:{ACCOUNT}:dog-breeds-schedule-dead → nowhere",
        ),
        (
            {"site.roles.scheduler": "mine"},
            f"role: arn:aws:iam::{ACCOUNT}:role/pedigree-scheduler → arn:aws:iam::{ACCOUNT}:role/mine",
        ),
    ],
)
def test_changed_settings_are_shown_and_applied(value: dict[str, Any], expected: str) -> None:
    made(VALUES)
    changed = {**VALUES, **value}
    assert expected in made(changed)
    assert not plan([resource(changed)], account())


@pytest.mark.parametrize(
    ("drift", "expected"),
    [
        ({"EndDate": NOW}, "end: 2026-11-21 12:00:00+00:00 → never"),
        ({"StartDate": NOW + dt.timedelta(days=9)}, "beginning: 2026-11-30 12:00:00+00:00 → at once"),
        ({"FlexibleTimeWindow": {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 5}}, "window: FLEXIBLE → OFF"),
        ({"Description": "theirs"}, "description: theirs → Starts the pipeline dog-breeds."),
        (
            {"Target": {"Arn": ARN, "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/pedigree-scheduler", "Input": "{}"}},
            "other members: without Input",
        ),
    ],
)
def test_manual_changes_are_mended(drift: dict[str, Any], expected: str) -> None:
    made(VALUES)
    before = {**there(), "ResponseMetadata": None, "LastModificationDate": None}
    client("scheduler").update_schedule(**{**request(chosen(VALUES)), **drift})
    assert expected in made(VALUES)
    assert {**there(), "ResponseMetadata": None, "LastModificationDate": None} == before


def test_a_start_that_has_passed_is_no_difference() -> None:
    made(VALUES)
    client("scheduler").update_schedule(**request(chosen(VALUES)), StartDate=NOW - dt.timedelta(days=1))
    assert not plan([resource(VALUES)], account())


def test_what_was_paused_stays_paused_when_it_is_mended() -> None:
    made(VALUES)
    paused = Switch(chosen(), "DISABLED")
    assert reasons(apply_resources([paused], account())) == ["ENABLED → DISABLED"]
    assert not plan([resource(VALUES)], account())
    made({**VALUES, "schedule.expression": "rate(2 days)"})
    assert there()["State"] == "DISABLED"
    assert there()["ScheduleExpression"] == "rate(2 days)"


def test_pausing_and_resuming_leave_everything_else() -> None:
    made(VALUES)
    theirs = {"Description": "theirs", "EndDate": NOW + dt.timedelta(days=400), "StartDate": NOW - dt.timedelta(days=9)}
    client("scheduler").update_schedule(**{**request(chosen(VALUES)), **theirs})
    for state in ("DISABLED", "ENABLED"):
        watched = RecordedClients()
        apply_resources([Switch(chosen(), state)], account(watched))
        assert watched.writing() == ["scheduler update_schedule"]
        assert there()["State"] == state
        assert not plan([Switch(chosen(), state)], account())
    found = there()
    assert (found["Description"], found["EndDate"]) == ("theirs", theirs["EndDate"])
    assert found["Target"] == request(chosen(VALUES))["Target"]
    assert found.get("StartDate") is None  # one that has passed would be refused


def test_every_member_that_scheduler_takes_is_handed_back() -> None:
    shape = Loader().load_service_model("scheduler", "service-2")["shapes"]["UpdateScheduleInput"]["members"]
    everything: dict[str, Any] = {name: f"the {name}" for name in shape}
    everything |= {"State": "ENABLED", "Target": {"Arn": ARN}, "StartDate": NOW + dt.timedelta(days=1)}

    class Full:
        def get_schedule(self, **_: Any) -> Mapping[str, Any]:
            return everything

    here = Account(ACCOUNT, REGION, lambda service: Full(), clock=FixedClock())
    (change,) = plan([Switch(chosen(), "DISABLED")], here).changes
    (call,) = change.calls
    assert isinstance(call, ApiCall)
    written = call.arguments
    assert {**written, "ClientToken": everything["ClientToken"]} == {**everything, "State": "DISABLED"}


@pytest.mark.parametrize("expression", ["at(2026-11-21T11:59:00)", "cron(0 0 30 2 ? *)", "cron(0 0 1 1 ? 2026)"])
def test_a_schedule_that_never_fires_again_is_not_made(expression: str) -> None:
    with pytest.raises(ScheduleEndedError, match=r"never fires again in UTC; write a time that is still to come"):
        plan([resource({"schedule.expression": expression})], account())


def test_a_schedule_that_has_fired_for_the_last_time_is_left() -> None:
    values = {"schedule.expression": "at(2026-11-21T12:30:00)"}
    made(values)
    later = account()
    later.clock.sleep(3600)
    assert not plan([resource(values)], later)
    assert "  it never fires again" in list(lines(status(later, chosen(values))))


def test_a_rate_begins_at_once() -> None:
    assert made({"schedule.expression": "rate(12 hours)"})[:3] == [
        "rate(12 hours) in UTC fires",
        "  Sat 2026-11-21 12:00 UTC (+0000), at once",
        "  Sun 2026-11-22 00:00 UTC (+0000)",
    ]


def test_a_schedule_of_something_else_is_left_alone() -> None:
    theirs = request(chosen())
    client("scheduler").create_schedule(**{**theirs, "Target": {**theirs["Target"], "Arn": f"{ARN}-of-others"}})
    for changed in (resource(), Switch(chosen(), "DISABLED"), Removal(chosen())):
        with pytest.raises(NameTakenError, match=r"starts .*dog-breeds-of-others; choose another pipeline\.name"):
            plan([changed], account())


def test_removing_takes_the_schedule_and_its_empty_queue() -> None:
    made()
    applied = apply_resources([Removal(chosen())], account())
    assert [f"{change.verb} {change.kind}" for change in applied.changes] == ["delete schedule", "delete queue"]
    assert client("scheduler").list_schedules()["Schedules"] == []
    assert client("sqs").list_queues().get("QueueUrls", []) == []
    assert not plan([Removal(chosen())], account())


def test_removing_keeps_a_queue_in_which_something_lies() -> None:
    made()
    letters = dead_letters(account(), chosen())
    assert letters is not None
    client("sqs").send_message(QueueUrl=letters.url, MessageBody="a start that failed")
    applied = apply_resources([Removal(chosen())], account())
    assert [change.kind for change in applied.changes] == ["schedule"]
    after = dead_letters(account(), chosen())
    assert after is not None
    assert after.count == 1


def test_removing_keeps_a_queue_of_another_owner() -> None:
    client("sqs").create_queue(QueueName="dog-breeds-schedule-dead")
    assert not plan([Removal(chosen())], account())


def test_a_missing_schedule_is_reported() -> None:
    with pytest.raises(
        AbsentError, match=r"has no schedule dog-breeds in us-east-1; `pedigree schedule make` makes it"
    ):
        existing(account(), chosen())
    assert next(lines(status(account(), chosen()))) == "schedule dog-breeds: not made"


def test_the_status_tells_what_differs_and_what_failed() -> None:
    made(VALUES)
    letters = dead_letters(account(), chosen())
    assert letters is not None
    client("sqs").send_message(QueueUrl=letters.url, MessageBody="a start that failed")
    text = list(lines(status(account(), chosen({**VALUES, "schedule.max_retries": 9}))))
    assert text[0] == "schedule dog-breeds: fires"
    assert "  parameters    Epochs = 10, AccuracyThreshold = 1e-05, ModelApprovalStatus = PendingManualApproval" in text
    assert text[text.index("  next times") + 1] == "    Sun 2026-11-22 02:30 CET (+0100)"
    assert "  1 starts have failed and lie in the queue of dead letters" in text
    assert text[-3:] == [
        "  the settings differ (`pedigree schedule make` updates it)",
        "    retries: 3 → 9",
        "  schedule.enabled = false: upsert leaves it as it is",
    ]


def test_an_expression_of_an_unknown_form_has_no_times() -> None:
    made(VALUES)
    client("scheduler").update_schedule(**{**request(chosen()), "ScheduleExpression": "cron(0 0 L-3 * ? *)"})
    assert "  when it fires is known to Scheduler only" in list(lines(status(account(), chosen())))


def upserted(values: Mapping[str, Any]) -> None:
    apply_resources([managed_pipeline(chosen(values), CODE)], account())
    client("iam").create_role(RoleName="pedigree-scheduler", AssumeRolePolicyDocument="{}")


def test_what_a_schedule_would_start_must_be_there() -> None:
    with pytest.raises(AbsentError, match=r"has no pipeline dog-breeds in us-east-1; create it there"):
        check(account(), chosen())
    apply_resources([managed_pipeline(chosen(), CODE)], account())
    with pytest.raises(AbsentError, match=r"has no role pedigree-scheduler with which to start it"):
        check(account(), chosen())


def test_a_value_that_the_pipeline_in_the_account_would_refuse_is_reported() -> None:
    upserted({"distributed.enabled": False, "registry.inference_instance_types": ["ml.m5.large"]})
    values = {
        "schedule.parameters": {"DistributedInstanceCount": 3, "EndpointInstanceType": "ml.m5.xlarge", "Epochs": 3}
    }
    with pytest.raises(InvalidInputError) as raised:
        check(account(), chosen(values))
    assert [mistake.cause for mistake in raised.value.mistakes] == [
        "schedule.parameters.DistributedInstanceCount is not a parameter of the pipeline in the account",
        'schedule.parameters.EndpointInstanceType = "ml.m5.xlarge" is refused by the pipeline in the account',
    ]
    check(account(), chosen({"schedule.parameters": {"Epochs": 3}}))


def test_the_operator_may_make_every_call_of_a_schedule_and_of_costs() -> None:
    upserted({})
    watched = RecordedClients()
    here = account(watched)
    check(here, chosen())
    for desired in (resource(), resource({"schedule.max_retries": 9}), Switch(chosen(), "DISABLED"), Removal(chosen())):
        status(here, chosen())
        apply_resources([desired], here)
    costs = [f"sagemaker:{name}" for name in CALLS_OF_COSTS]
    calls = {action for service, operation, _ in watched.calls for action in actions(service, operation)}
    needed = {*calls, *costs, "iam:PassRole", "pricing:GetProducts"}
    assert "scheduler:UpdateSchedule" in needed
    assert refused(needed) == []
