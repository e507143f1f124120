"""Schedules that really fire: pipelines, functions and queues as targets, and time zones."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from botocore.exceptions import ClientError

from tests.support.lambda_functions import ROLE, create_function, logged_events
from tests.support.local_aws import arn, client, daemon_process
from tests.support.queues import QueueReader, create_queue
from tests.support.waiting import until

PRINTS_EVENT = """
import json
def handler(event, context):
    print("got", json.dumps(event))
"""


def schedule(url: str, name: str, expression: str, target: dict[str, Any], **more: Any) -> None:
    settings = {"FlexibleTimeWindow": {"Mode": "OFF"}, **more}
    client(url, "scheduler").create_schedule(
        Name=name, ScheduleExpression=expression, Target={"RoleArn": ROLE, **target}, **settings
    )


def soon(zone: dt.tzinfo = dt.timezone.utc) -> str:
    return f"at({dt.datetime.now(zone) + dt.timedelta(seconds=2):%Y-%m-%dT%H:%M:%S})"


def test_a_schedule_starts_a_pipeline_with_its_parameters(url: str) -> None:
    sagemaker = client(url, "sagemaker")
    definition = {
        "Version": "2020-12-01",
        "Parameters": [{"Name": "Word", "Type": "String"}],
        "Steps": [{"Name": "No", "Type": "Fail", "Arguments": {"ErrorMessage": {"Get": "Parameters.Word"}}}],
    }
    sagemaker.create_pipeline(PipelineName="timed", PipelineDefinition=json.dumps(definition), RoleArn=ROLE)
    parameters = {"PipelineParameterList": [{"Name": "Word", "Value": "from the schedule"}]}
    target = {"Arn": arn("sagemaker", "pipeline/timed"), "SageMakerPipelineParameters": parameters}
    schedule(url, "timed", soon(), target)

    def words() -> list[str]:
        listed = sagemaker.list_pipeline_executions(PipelineName="timed")["PipelineExecutionSummaries"]
        steps = [
            step
            for execution in listed
            for step in sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=execution["PipelineExecutionArn"])[
                "PipelineExecutionSteps"
            ]
        ]
        return [step["FailureReason"] for step in steps if "FailureReason" in step]

    until(words, ["from the schedule"])


def test_an_at_expression_fires_once_in_its_time_zone_and_deletes_its_schedule(url: str) -> None:
    address = create_queue(url, "once")
    target = {"Arn": arn("sqs", "once"), "Input": '{"at": "<aws.scheduler.scheduled-time>"}'}
    zone = "Asia/Kathmandu"
    schedule(url, "once", soon(ZoneInfo(zone)), target, ScheduleExpressionTimezone=zone, ActionAfterCompletion="DELETE")
    received = QueueReader(url, address)
    until(received.count, 1)
    fired = dt.datetime.fromisoformat(received.bodies()[0]["at"].replace("Z", "+00:00"))
    assert abs((dt.datetime.now(dt.timezone.utc) - fired).total_seconds()) < 20
    until(lambda: exists(url, "once"), False)


def exists(url: str, name: str) -> bool:
    with contextlib.suppress(ClientError):
        client(url, "scheduler").get_schedule(Name=name)
        return True
    return False


def test_a_rate_fires_at_once_but_not_before_its_start_or_when_disabled(url: str) -> None:
    create_function(url, "rated", PRINTS_EVENT)
    target = {"Arn": arn("lambda", "function:rated")}
    schedule(url, "disabled", "rate(1 minute)", {**target, "Input": '"disabled"'}, State="DISABLED")
    later = dt.datetime.now(dt.timezone.utc) + dt.timedelta(hours=1)
    schedule(url, "later", "rate(1 minute)", {**target, "Input": '"later"'}, StartDate=later)
    schedule(url, "now", "rate(1 minute)", {**target, "Input": '"now"'})
    until(lambda: logged_events(url, "rated"), ["now"])
    client(url, "scheduler").delete_schedule(Name="now")


def test_a_schedule_whose_target_fails_goes_to_the_dead_letter_queue(url: str) -> None:
    dead = create_queue(url, "missed")
    create_function(url, "throttled", "def handler(e, c): pass")
    client(url, "lambda").delete_function(FunctionName="throttled")
    target = {
        "Arn": arn("lambda", "function:throttled"),
        "RetryPolicy": {"MaximumRetryAttempts": 1, "MaximumEventAgeInSeconds": 60},
        "DeadLetterConfig": {"Arn": arn("sqs", "missed")},
    }
    schedule(url, "missed", soon(), target)
    received = QueueReader(url, dead)
    until(received.count, 1)
    assert received.bodies()[0]["resources"] == [arn("scheduler", "schedule/default/missed")]
    attributes = received.messages[0]["MessageAttributes"]
    assert attributes["ERROR_CODE"]["StringValue"] == "ResourceNotFoundException"


@pytest.mark.parametrize(
    ("expression", "more"),
    [
        ("cron(0 25 * * ? *)", {}),
        ("rate(1 minutes)", {}),
        ("at(tomorrow)", {}),
        ("rate(1 hour)", {"ScheduleExpressionTimezone": "Mars/Phobos"}),
        ("rate(1 hour)", {"StartDate": 2_000_000_000, "EndDate": 1_999_999_999}),
    ],
)
def test_malformed_schedules_are_refused(url: str, expression: str, more: dict[str, Any]) -> None:
    with pytest.raises(ClientError) as raised:
        schedule(url, "bad", expression, {"Arn": arn("sqs", "any")}, **more)
    assert raised.value.response["Error"]["Code"] == "ValidationException"


def test_a_schedule_that_fell_due_while_no_daemon_ran_fires_once(tmp_path: Path) -> None:
    with daemon_process(tmp_path / "local") as (_, first):
        address = create_queue(first, "late")
        create_function(first, "any", "def handler(e, c): pass")
        moment = dt.datetime.now(dt.timezone.utc) + dt.timedelta(seconds=2)
        schedule(first, "late", f"at({moment:%Y-%m-%dT%H:%M:%S})", {"Arn": arn("sqs", "late")})
    until(lambda: dt.datetime.now(dt.timezone.utc) > moment, True)
    with daemon_process(tmp_path / "local") as (_, second):
        received = QueueReader(second, address.replace(first, second))
        until(received.count, 1)
