"""Archives keep the events of a bus, and replays send them to its rules again."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.local_aws import arn, client
from tests.support.queues import QueueReader, create_queue
from tests.support.waiting import until

NOW = dt.datetime.now(dt.timezone.utc)
HOUR = dt.timedelta(hours=1)


def bus(url: str, name: str, **archive: Any) -> str:
    """Make a bus with an archive of the same name; return the bus's ARN."""
    events = client(url, "events")
    address: str = events.create_event_bus(Name=name)["EventBusArn"]
    events.create_archive(ArchiveName=name, EventSourceArn=address, **archive)
    return address


def put(url: str, name: str, *kinds: str) -> None:
    entries = [{"EventBusName": name, "Source": "own", "DetailType": kind, "Detail": '{"a": 1}'} for kind in kinds]
    client(url, "events").put_events(Entries=entries)


def archived(url: str, name: str) -> int:
    return int(client(url, "events").describe_archive(ArchiveName=name)["EventCount"])


def test_an_archive_counts_the_events_that_its_pattern_matches(url: str) -> None:
    bus(url, "counted", EventPattern=json.dumps({"detail-type": ["kept"]}), RetentionDays=1)
    put(url, "counted", "kept", "dropped", "kept")
    until(lambda: archived(url, "counted"), 2)
    events = client(url, "events")
    (listed,) = events.list_archives(NamePrefix="counted")["Archives"]
    size = len('{"a":1}') + len("own") + len("kept") + len("123456789012") + 14
    assert (listed["EventCount"], listed["SizeBytes"]) == (2, 2 * size)
    events.delete_archive(ArchiveName="counted")
    with pytest.raises(ClientError, match="Archive counted does not exist"):
        events.describe_archive(ArchiveName="counted")


def test_a_replay_sends_archived_events_again_with_its_name(url: str) -> None:
    events, queue = client(url, "events"), create_queue(url, "replayed")
    address = bus(url, "replayed")
    put(url, "replayed", "first")
    until(lambda: archived(url, "replayed"), 1)
    rules = []
    for name, pattern in (("named", {"replay-name": ["again"]}), ("other", {"source": ["own"]})):
        rules.append(events.put_rule(Name=name, EventBusName="replayed", EventPattern=json.dumps(pattern))["RuleArn"])
        target = {"Id": "a", "Arn": arn("sqs", "replayed"), "Input": json.dumps(name)}
        events.put_targets(Rule=name, EventBusName="replayed", Targets=[target])
    source, span = arn("events", "archive/replayed"), {"EventStartTime": NOW - HOUR, "EventEndTime": NOW + HOUR}
    chosen = {"Arn": address, "FilterArns": rules[:1]}
    events.start_replay(ReplayName="again", EventSourceArn=source, Destination=chosen, **span)
    received = QueueReader(url, queue)
    until(received.count, 1)
    events.start_replay(ReplayName="more", EventSourceArn=source, Destination={"Arn": address}, **span)
    until(received.count, 2)
    assert [message["Body"] for message in received.messages] == ['"named"', '"other"']
    assert archived(url, "replayed") == 1
    first = events.list_replays(Limit=1)
    assert [replay["ReplayName"] for replay in first["Replays"]] == ["again"]
    assert events.list_replays(NextToken=first["NextToken"])["Replays"][0]["ReplayName"] == "more"


def test_what_a_replay_or_a_list_names_must_make_sense(url: str) -> None:
    events = client(url, "events")
    address = bus(url, "strict")
    with pytest.raises(ClientError, match="EventStartTime must be before EventEndTime"):
        events.start_replay(
            ReplayName="r",
            EventSourceArn=arn("events", "archive/strict"),
            EventStartTime=NOW,
            EventEndTime=NOW,
            Destination={"Arn": address},
        )
    with pytest.raises(ClientError, match="Event bus gone does not exist"):
        events.list_archives(EventSourceArn=arn("events", "event-bus/gone"))
    with pytest.raises(events.exceptions.InvalidEventPatternException):
        events.create_archive(ArchiveName="bad", EventSourceArn=address, EventPattern="{}")
