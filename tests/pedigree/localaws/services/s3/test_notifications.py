"""What a bucket's configuration has told of changes of its objects: queues, functions and EventBridge."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from pedigree.localaws.daemon import LocalAws
from pedigree.localaws.http.protocol.s3_errors import S3Error
from pedigree.localaws.kernel.store import Store
from pedigree.localaws.services.s3.bucket_configuration import set_configuration
from pedigree.localaws.services.s3.notifications import BucketNotifications
from pedigree.localaws.services.s3.object_events import ObjectEvent
from tests.support.local_aws import client
from tests.support.waiting import until

QUEUE, FUNCTION = "arn:aws:sqs:us-east-1:123456789012:q", "arn:aws:lambda:us-east-1:123456789012:function:f"
NOW = dt.datetime(2030, 1, 2, 3, 4, 5, 678_000, tzinfo=dt.timezone.utc)


@dataclass
class Received:
    """Destinations that keep what they are told; one ARN cannot be told anything."""

    messages: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    events: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)

    def problem(self, arn: str, _bucket_arn: str) -> str:
        return "It is closed" if arn == FUNCTION else ""

    def send(self, arn: str, body: str, bucket_arn: str) -> None:
        assert bucket_arn == "arn:aws:s3:::bucket"
        self.messages.append((arn, json.loads(body)))

    def publish(self, detail_type: str, detail: Mapping[str, Any], _bucket_arn: str) -> None:
        self.events.append((detail_type, detail))


@dataclass
class NotifiedBucket:
    """Notifications of one bucket, and what they were for."""

    notifications: BucketNotifications
    store: Store
    received: Received

    @property
    def messages(self) -> list[tuple[str, dict[str, Any]]]:
        return self.received.messages

    @property
    def events(self) -> list[tuple[str, Mapping[str, Any]]]:
        return self.received.events

    def configure(self, *configurations: str) -> None:
        text = f"<NotificationConfiguration>{''.join(configurations)}</NotificationConfiguration>"
        set_configuration(self.store, "bucket", "notification", text)

    def change(self, name: str, key: str = "in/a b.txt", **body: Any) -> None:
        stored = {"number": 255, "size": 3, "etag": "e", **body}
        self.notifications(ObjectEvent(name, "bucket", key, stored, "OWNER", "AID", "us-east-1"))


@pytest.fixture
def told(tmp_path: Path) -> Iterator[NotifiedBucket]:
    store = Store(tmp_path / "state.sqlite")

    received = Received()
    yield NotifiedBucket(BucketNotifications(store, "123456789012", lambda: NOW, received), store, received)
    store.close()


def queue(event: str = "s3:ObjectCreated:*", rules: str = "") -> str:
    key = f"<Filter><S3Key>{rules}</S3Key></Filter>" if rules else ""
    return f"<QueueConfiguration><Id>id</Id><Queue>{QUEUE}</Queue><Event>{event}</Event>{key}</QueueConfiguration>"


def test_a_record_says_what_has_changed(told: NotifiedBucket) -> None:
    told.configure(queue())
    told.change("ObjectCreated:Put", version="v1")
    ((arn, message),) = told.messages
    (record,) = message["Records"]
    assert arn == QUEUE
    assert (record["eventName"], record["eventTime"]) == ("ObjectCreated:Put", "2030-01-02T03:04:05.678Z")
    assert record["s3"]["bucket"]["arn"] == "arn:aws:s3:::bucket"
    assert record["s3"]["configurationId"] == "id"
    assert record["s3"]["object"] == {
        "key": "in/a+b.txt",
        "size": 3,
        "eTag": "e",
        "versionId": "v1",
        "sequencer": "00000000000000FF",
    }


@pytest.mark.parametrize(
    ("event", "rule", "is_told"),
    [
        ("s3:ObjectCreated:*", "", True),
        ("s3:ObjectCreated:Put", "", True),
        ("s3:ObjectCreated:Copy", "", False),
        ("s3:ObjectRemoved:*", "", False),
        ("s3:ObjectCreated:*", "<FilterRule><Name>prefix</Name><Value>in/</Value></FilterRule>", True),
        ("s3:ObjectCreated:*", "<FilterRule><Name>Suffix</Name><Value>.txt</Value></FilterRule>", True),
        ("s3:ObjectCreated:*", "<FilterRule><Name>suffix</Name><Value>.csv</Value></FilterRule>", False),
    ],
)
def test_only_what_is_asked_for_is_told(told: NotifiedBucket, event: str, rule: str, is_told: bool) -> None:
    told.configure(queue(event, rule))
    told.change("ObjectCreated:Put")
    assert bool(told.messages) is is_told


def test_a_function_and_eventbridge_are_told_as_well(told: NotifiedBucket) -> None:
    name = f"<CloudFunction>{FUNCTION}</CloudFunction><Event>s3:ObjectRemoved:*</Event>"
    told.configure(
        f"<CloudFunctionConfiguration><Id>f</Id>{name}</CloudFunctionConfiguration>", "<EventBridgeConfiguration/>"
    )
    told.change("ObjectRemoved:DeleteMarkerCreated", version="v2")
    assert [arn for arn, _ in told.messages] == [FUNCTION]
    ((detail_type, detail),) = told.events
    assert (detail_type, detail["reason"]) == ("Object Deleted", "DeleteObject")
    assert detail["deletion-type"] == "Delete Marker Created"
    assert detail["object"]["version-id"] == "v2"


def test_the_end_of_a_restoration_is_told_by_s3_itself(told: NotifiedBucket) -> None:
    told.configure(queue("s3:ObjectRestore:*"), "<EventBridgeConfiguration/>")
    told.change("ObjectRestore:Completed", restored="2030-01-04T00:00:00Z", storage_class="GLACIER")
    (record,) = told.messages[0][1]["Records"]
    assert record["glacierEventData"]["restoreEventData"] == {
        "lifecycleRestorationExpiryTime": "2030-01-04T00:00:00Z",
        "lifecycleRestoreStorageClass": "GLACIER",
    }
    assert record["userIdentity"]["principalId"] == "AmazonCustomer:OWNER"
    ((detail_type, detail),) = told.events
    assert (detail_type, detail["restore-expiry-time"]) == ("Object Restore Completed", "2030-01-04T00:00:00Z")


def test_tags_are_told_without_a_size(told: NotifiedBucket) -> None:
    told.configure(queue("s3:ObjectTagging:*"), "<EventBridgeConfiguration/>")
    told.change("ObjectTagging:Delete")
    (record,) = told.messages[0][1]["Records"]
    assert record["s3"]["object"] == {"key": "in/a+b.txt", "eTag": "e"}
    assert told.events[0][0] == "Object Tags Deleted"


def test_a_destination_that_cannot_be_told_is_refused(told: NotifiedBucket) -> None:
    function = f"<CloudFunction>{FUNCTION}</CloudFunction><Event>s3:ObjectRemoved:*</Event>"
    inner = f"{queue()}<CloudFunctionConfiguration>{function}</CloudFunctionConfiguration>"
    document = f"<NotificationConfiguration>{inner}</NotificationConfiguration>".encode()
    with pytest.raises(S3Error, match="Unable to validate the following destination configurations") as refused:
        told.notifications.check("bucket", {}, document)
    assert refused.value.details == {"ArgumentName1": FUNCTION, "ArgumentValue1": "It is closed"}
    told.notifications.check("bucket", {"x-amz-skip-destination-validation": "true"}, document)


def test_a_queue_must_be_there(local: LocalAws) -> None:
    s3, sqs = client(local.url, "s3"), client(local.url, "sqs")
    s3.create_bucket(Bucket="untold")
    given = {"QueueConfigurations": [{"QueueArn": QUEUE, "Events": ["s3:ObjectCreated:*"]}]}
    with pytest.raises(ClientError) as refused:
        s3.put_bucket_notification_configuration(Bucket="untold", NotificationConfiguration=given)
    problem = refused.value.response["Error"]
    assert (problem["ArgumentName1"], problem["ArgumentValue1"]) == (QUEUE, "The destination queue does not exist")
    sqs.create_queue(QueueName="q")
    s3.put_bucket_notification_configuration(Bucket="untold", NotificationConfiguration=given)


def test_a_queue_gets_what_happens_in_a_bucket(local: LocalAws) -> None:
    s3, sqs = client(local.url, "s3"), client(local.url, "sqs")
    s3.create_bucket(Bucket="told")
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": "arn:aws:s3:::told"}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    configuration = {"QueueConfigurations": [{"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}]}
    s3.put_bucket_notification_configuration(Bucket="told", NotificationConfiguration=configuration)
    s3.put_object(Bucket="told", Key="a", Body=b"1")
    bodies: list[dict[str, Any]] = []

    def has_come() -> bool:
        bodies.extend(json.loads(each["Body"]) for each in sqs.receive_message(QueueUrl=url).get("Messages", []))
        return len(bodies) == 2

    until(has_come, what="the test message and the record")
    assert {"s3:TestEvent"} == {body["Event"] for body in bodies if "Event" in body}
    (record,) = next(body["Records"] for body in bodies if "Records" in body)
    assert (record["eventName"], record["s3"]["object"]["key"]) == ("ObjectCreated:Put", "a")
