"""Queues and EventBridge invoke real functions; events, rules and targets with unmodified boto3."""

from __future__ import annotations

import datetime as dt
import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.lambda_functions import create_function, logged_after, logged_events
from tests.support.local_aws import arn, client
from tests.support.queues import QueueReader, create_queue
from tests.support.waiting import until

PRINTS_EVENT = """
import json
def handler(event, context):
    print("got", json.dumps(event))
"""
PRINTS_BODIES = """
def handler(event, context):
    print("batch", *sorted(record["body"] for record in event["Records"]))
"""


def map_queue(url: str, function: str, source: str, **settings: Any) -> str:
    mapping = client(url, "lambda").create_event_source_mapping(
        FunctionName=function, EventSourceArn=arn("sqs", source), **settings
    )
    return str(mapping["UUID"])


def message_count(url: str, address: str) -> int:
    """Return the number of messages in a queue, visible or not."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    attributes = client(url, "sqs").get_queue_attributes(QueueUrl=address, AttributeNames=names)["Attributes"]
    return sum(int(value) for value in attributes.values())


def test_messages_arrive_in_batches_and_are_deleted(url: str) -> None:
    create_function(url, "batches", PRINTS_BODIES)
    address = create_queue(url, "batches")
    sqs = client(url, "sqs")
    for start in (0, 10):
        entries = [{"Id": str(number), "MessageBody": f"{number:02}"} for number in range(start, start + 10)]
        sqs.send_message_batch(QueueUrl=address, Entries=entries)
    map_queue(url, "batches", "batches", BatchSize=20, MaximumBatchingWindowInSeconds=1)
    until(lambda: message_count(url, address), 0)
    assert logged_after(url, "batches", "batch") == [" ".join(f"{number:02}" for number in range(20))]


def test_a_record_has_the_form_of_lambda(url: str) -> None:
    create_function(url, "record", PRINTS_EVENT)
    address = create_queue(url, "record")
    map_queue(url, "record", "record")
    attributes = {"kind": {"DataType": "String", "StringValue": "x"}}
    client(url, "sqs").send_message(QueueUrl=address, MessageBody="text", MessageAttributes=attributes)
    until(lambda: len(logged_events(url, "record")), 1)
    (record,) = logged_events(url, "record")[0]["Records"]
    assert (record["body"], record["eventSource"], record["eventSourceARN"], record["awsRegion"]) == (
        "text", "aws:sqs", arn("sqs", "record"), "us-east-1",
    )  # fmt: skip
    assert record["attributes"]["ApproximateReceiveCount"] == "1"
    assert record["messageAttributes"]["kind"]["stringValue"] == "x"


def test_a_reported_message_comes_again_alone_until_it_is_a_dead_letter(url: str) -> None:
    code = """
    def handler(event, context):
        print("batch", *sorted(record["body"] for record in event["Records"]))
        bad = [record["messageId"] for record in event["Records"] if record["body"] == "bad"]
        return {"batchItemFailures": [{"itemIdentifier": message} for message in bad]}
    """
    create_function(url, "partly", code, Timeout=2)
    dead = create_queue(url, "partly-dead")
    redrive = json.dumps({"deadLetterTargetArn": arn("sqs", "partly-dead"), "maxReceiveCount": 2})
    address = create_queue(url, "partly", VisibilityTimeout="2", RedrivePolicy=redrive)
    for body in ("bad", "good"):
        client(url, "sqs").send_message(QueueUrl=address, MessageBody=body)
    map_queue(
        url,
        "partly",
        "partly",
        FunctionResponseTypes=["ReportBatchItemFailures"],
        MaximumBatchingWindowInSeconds=0,
    )
    received = QueueReader(url, dead)
    until(received.count, 1)
    assert received.messages[0]["Body"] == "bad"
    assert " ".join(logged_after(url, "partly", "batch")).split().count("good") == 1
    assert " ".join(logged_after(url, "partly", "batch")).split().count("bad") == 2
    assert message_count(url, address) == 0


def test_a_batch_whose_invocation_fails_comes_again(url: str) -> None:
    code = """
    def handler(event, context):
        print("count", event["Records"][0]["attributes"]["ApproximateReceiveCount"])
        if event["Records"][0]["attributes"]["ApproximateReceiveCount"] == "1":
            raise ValueError("not yet")
    """
    create_function(url, "again", code, Timeout=2)
    address = create_queue(url, "again", VisibilityTimeout="2")
    map_queue(url, "again", "again")
    client(url, "sqs").send_message(QueueUrl=address, MessageBody="text")
    until(lambda: logged_after(url, "again", "count"), ["1", "2"])
    until(lambda: message_count(url, address), 0)


def test_a_disabled_or_deleted_mapping_receives_no_messages(url: str) -> None:
    create_function(url, "paused", PRINTS_BODIES)
    address = create_queue(url, "paused")
    functions, sqs = client(url, "lambda"), client(url, "sqs")
    name = map_queue(url, "paused", "paused", Enabled=False)
    sqs.send_message(QueueUrl=address, MessageBody="1")
    create_function(url, "witness", PRINTS_BODIES)
    witness = create_queue(url, "witness")
    map_queue(url, "witness", "witness")
    sqs.send_message(QueueUrl=witness, MessageBody="1")
    until(lambda: logged_after(url, "witness", "batch"), ["1"])
    assert (message_count(url, address), logged_after(url, "paused", "batch")) == (1, [])
    functions.update_event_source_mapping(UUID=name, Enabled=True)
    until(lambda: logged_after(url, "paused", "batch"), ["1"])
    functions.delete_event_source_mapping(UUID=name)
    sqs.send_message(QueueUrl=witness, MessageBody="2")
    until(lambda: logged_after(url, "witness", "batch"), ["1", "2"])


def test_filters_pass_matching_messages_only(url: str) -> None:
    create_function(url, "filtered", PRINTS_BODIES)
    address = create_queue(url, "filtered")
    criteria = {"Filters": [{"Pattern": json.dumps({"body": {"kind": ["good"]}})}]}
    map_queue(url, "filtered", "filtered", FilterCriteria=criteria)
    for kind in ("bad", "good"):
        client(url, "sqs").send_message(QueueUrl=address, MessageBody=json.dumps({"kind": kind}))
    until(lambda: message_count(url, address), 0)
    until(lambda: logged_after(url, "filtered", "batch"), ['{"kind": "good"}'])


def test_a_long_poll_returns_at_once_with_a_message_and_holds_up_no_other_request(url: str) -> None:
    address = create_queue(url, "patient")
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(client(url, "sqs").receive_message, QueueUrl=address, WaitTimeSeconds=20)
        start = time.monotonic()
        client(url, "iam").list_roles()
        client(url, "sqs").send_message(QueueUrl=address, MessageBody="text")
        assert [message["Body"] for message in waiting.result()["Messages"]] == ["text"]
    assert time.monotonic() - start < 20


def rule(url: str, name: str, pattern: dict[str, Any], *targets: dict[str, Any]) -> None:
    events = client(url, "events")
    events.put_rule(Name=name, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=name, Targets=list(targets))


def put(url: str, source: str, detail: dict[str, Any]) -> dict[str, Any]:
    entry = {"Source": source, "DetailType": "changed", "Detail": json.dumps(detail)}
    answer: dict[str, Any] = client(url, "events").put_events(Entries=[entry])
    return answer


def test_an_event_goes_to_the_targets_of_the_rules_that_it_matches(url: str) -> None:
    function = create_function(url, "hears", PRINTS_EVENT)
    address = create_queue(url, "hears")
    pattern = {"source": [{"prefix": "own."}], "detail": {"size": [{"numeric": [">", 3]}]}}
    transformer = {"InputPathsMap": {"size": "$.detail.size"}, "InputTemplate": '{"size": <size>}'}
    rule(
        url,
        "hears",
        pattern,
        {"Id": "function", "Arn": function},
        {"Id": "queue", "Arn": arn("sqs", "hears"), "InputTransformer": transformer},
    )
    assert put(url, "own.things", {"size": 1})["FailedEntryCount"] == 0
    put(url, "own.things", {"size": 4})
    received = QueueReader(url, address)
    until(received.count, 1)
    assert received.bodies() == [{"size": 4}]
    until(lambda: len(logged_events(url, "hears")), 1)
    event = logged_events(url, "hears")[0]
    assert (event["source"], event["detail-type"], event["detail"]) == ("own.things", "changed", {"size": 4})
    assert dt.datetime.fromisoformat(event["time"].replace("Z", "+00:00"))


def test_events_of_sagemaker_reach_rules(url: str) -> None:
    address = create_queue(url, "approvals")
    pattern = {
        "source": ["aws.sagemaker"],
        "detail-type": ["SageMaker Model Package State Change"],
        "detail": {"ModelApprovalStatus": ["Approved"]},
    }
    rule(url, "approvals", pattern, {"Id": "queue", "Arn": arn("sqs", "approvals"), "InputPath": "$.detail"})
    sagemaker = client(url, "sagemaker")
    sagemaker.create_model_package_group(ModelPackageGroupName="dogs")
    package = sagemaker.create_model_package(
        ModelPackageGroupName="dogs",
        InferenceSpecification={
            "Containers": [{"Image": "image"}],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
    )["ModelPackageArn"]
    sagemaker.update_model_package(ModelPackageArn=package, ModelApprovalStatus="Approved")
    received = QueueReader(url, address)
    until(received.count, 1)
    assert received.bodies()[0]["ModelPackageArn"] == package


def test_an_event_that_cannot_be_delivered_goes_to_the_dead_letter_queue(url: str) -> None:
    dead = create_queue(url, "undelivered")
    target = {
        "Id": "gone",
        "Arn": arn("sqs", "never-there"),
        "DeadLetterConfig": {"Arn": arn("sqs", "undelivered")},
        "Input": '{"fixed": true}',
    }
    rule(url, "undelivered", {"source": ["undelivered"]}, target)
    put(url, "undelivered", {})
    received = QueueReader(url, dead)
    until(received.count, 1)
    assert received.bodies() == [{"fixed": True}]
    attributes = {
        name: attribute["StringValue"] for name, attribute in received.messages[0]["MessageAttributes"].items()
    }
    assert attributes["RULE_ARN"] == arn("events", "rule/undelivered")
    assert attributes["TARGET_ARN"] == arn("sqs", "never-there")
    assert "NonExistentQueue" in attributes["ERROR_CODE"]


def test_malformed_events_and_patterns_are_refused(url: str) -> None:
    events = client(url, "events")
    bad = [
        {"Source": "s", "DetailType": "d", "Detail": "no JSON"},
        {"Source": "", "DetailType": "d", "Detail": "{}"},
        {"Source": "s", "DetailType": "d", "Detail": "{}"},
    ]
    answer = events.put_events(Entries=bad)
    assert answer["FailedEntryCount"] == 2
    assert [entry.get("ErrorCode") for entry in answer["Entries"]] == ["MalformedDetail", "InvalidArgument", None]
    with pytest.raises(events.exceptions.InvalidEventPatternException):
        events.put_rule(Name="bad", EventPattern='{"source": "text"}')
    with pytest.raises(ClientError, match="ScheduleExpression is not valid"):
        events.put_rule(Name="bad", ScheduleExpression="cron(0 25 * * ? *)")
    event = {"id": "1", "account": "1", "region": "r", "time": "t", "source": "s", "detail-type": "d"}
    with pytest.raises(ClientError, match="Parameter Event is not valid"):
        events.test_event_pattern(EventPattern='{"source": ["s"]}', Event='{"source": "s"}')
    event["detail"] = {"a": 1}  # type: ignore[assignment]
    tested = events.test_event_pattern(EventPattern='{"detail": {"a": [1]}}', Event=json.dumps(event))
    assert tested["Result"] is True
