"""Event buses, rules, targets and tags: what AWS answers, and the words in which it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.local_aws import arn, client
from tests.support.queues import QueueReader, create_queue
from tests.support.waiting import until

PATTERN = json.dumps({"source": ["own"]})


def refused(call: Callable[..., Any], **members: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as refusal:
        call(**members)
    error = refusal.value.response["Error"]
    return error["Code"], error["Message"]


def test_a_bus_is_made_and_listed_with_its_description_and_times(url: str) -> None:
    events = client(url, "events")
    made = events.create_event_bus(Name="described", Description="of a test")
    assert made["Description"] == "of a test"
    (listed,) = events.list_event_buses(NamePrefix="described")["EventBuses"]
    shown = events.describe_event_bus(Name="described")
    times = ("CreationTime", "LastModifiedTime", "Description")
    assert [listed[name] for name in times] == [shown[name] for name in times]
    assert refused(events.create_event_bus, Name="described") == (
        "ResourceAlreadyExistsException",
        "Event bus described already exists.",
    )


@pytest.mark.parametrize("operation", ["describe_rule", "enable_rule", "disable_rule"])
def test_a_rule_that_does_not_exist_is_named_with_its_bus(url: str, operation: str) -> None:
    call = getattr(client(url, "events"), operation)
    assert refused(call, Name="gone") == ("ResourceNotFoundException", "Rule gone does not exist on EventBus default.")
    assert refused(call, Name="gone", EventBusName="no") == (
        "ResourceNotFoundException",
        "Event bus no does not exist.",
    )


def test_the_targets_of_a_rule_that_does_not_exist_are_refused(url: str) -> None:
    events, words = client(url, "events"), "Rule gone does not exist on EventBus default."
    assert refused(events.list_targets_by_rule, Rule="gone")[1] == words
    assert refused(events.remove_targets, Rule="gone", Ids=["a"])[1] == words
    assert refused(events.put_targets, Rule="gone", Targets=[{"Id": "a", "Arn": arn("sqs", "a")}])[1] == words


def test_tags_of_what_does_not_exist_are_refused(url: str) -> None:
    events = client(url, "events")
    bus, rule = arn("events", "event-bus/gone"), arn("events", "rule/gone")
    assert refused(events.list_tags_for_resource, ResourceARN=bus)[1] == "Event bus gone does not exist."
    assert refused(events.untag_resource, ResourceARN=rule, TagKeys=["a"])[1] == (
        "Rule gone does not exist on EventBus default."
    )


def test_a_statement_that_does_not_exist_is_not_removed(url: str) -> None:
    events = client(url, "events")
    events.create_event_bus(Name="open")
    expected = ("ResourceNotFoundException", "Statement with the provided id does not exist.")
    assert refused(events.remove_permission, StatementId="gone", EventBusName="open") == expected
    events.put_permission(EventBusName="open", StatementId="all", Action="events:PutEvents", Principal="*")
    policy = json.loads(events.describe_event_bus(Name="open")["Policy"])
    assert policy["Statement"][0]["Principal"] == "*"
    assert refused(events.remove_permission, StatementId="gone", EventBusName="open") == expected
    events.remove_permission(EventBusName="open", RemoveAllPermissions=True)


def test_a_rule_has_up_to_five_targets(url: str) -> None:
    events = client(url, "events")
    events.put_rule(Name="full", EventPattern=PATTERN)
    targets = [{"Id": str(number), "Arn": arn("sqs", "any")} for number in range(6)]
    expected = ("LimitExceededException", "The requested resource exceeds the maximum number allowed.")
    assert refused(events.put_targets, Rule="full", Targets=targets) == expected
    events.put_targets(Rule="full", Targets=targets[:5])
    events.put_targets(Rule="full", Targets=targets[:5])
    assert refused(events.put_targets, Rule="full", Targets=targets[5:]) == expected


def test_the_input_of_a_target_is_said_once_with_placeholders_that_exist(url: str) -> None:
    events = client(url, "events")
    events.put_rule(Name="inputs", EventPattern=PATTERN)
    target = {"Id": "a", "Arn": arn("sqs", "any"), "InputTransformer": {"InputTemplate": '"<size>"'}}
    assert refused(events.put_targets, Rule="inputs", Targets=[target]) == (
        "ValidationException",
        "InputTemplate for target a contains invalid placeholder size.",
    )
    assert refused(events.put_targets, Rule="inputs", Targets=[{**target, "InputPath": "$.detail"}]) == (
        "ValidationException",
        "Only one of Input, InputPath, or InputTransformer must be provided for target a.",
    )


def test_entries_that_are_too_large_together_are_refused_as_a_whole(url: str) -> None:
    entry = {"Source": "own", "DetailType": "large", "Detail": json.dumps({"text": "x" * 150_000})}
    expected = ("ValidationException", "Total size of the entries in the request is over the limit.")
    assert refused(client(url, "events").put_events, Entries=[entry, entry]) == expected


def test_an_event_goes_on_to_a_bus_that_everybody_may_send_to(url: str) -> None:
    events, address = client(url, "events"), create_queue(url, "passed-on")
    events.create_event_bus(Name="first")
    events.create_event_bus(Name="second")
    events.put_permission(EventBusName="second", StatementId="all", Action="events:PutEvents", Principal="*")
    events.put_rule(Name="on", EventBusName="first", EventPattern=PATTERN)
    events.put_targets(Rule="on", EventBusName="first", Targets=[{"Id": "a", "Arn": arn("events", "event-bus/second")}])
    events.put_rule(Name="out", EventBusName="second", EventPattern=PATTERN)
    events.put_targets(Rule="out", EventBusName="second", Targets=[{"Id": "a", "Arn": arn("sqs", "passed-on")}])
    entry = {"EventBusName": "first", "Source": "own", "DetailType": "passed", "Detail": "{}"}
    events.put_events(Entries=[entry])
    received = QueueReader(url, address)
    until(received.count, 1)
    assert json.loads(received.messages[0]["Body"])["detail-type"] == "passed"
