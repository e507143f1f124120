"""Event notifications: changes of objects go to the queues, functions and EventBridge that a bucket names."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any, Protocol
from xml.etree.ElementTree import Element

from pedigree.localaws.http.protocol import xml
from pedigree.localaws.http.protocol.s3_errors import invalid
from pedigree.localaws.http.protocol.s3_request_ids import s3_host_id, s3_request_id
from pedigree.localaws.kernel.store import Store
from pedigree.localaws.services.s3.bucket_configuration import configuration_text
from pedigree.localaws.services.s3.object_events import ObjectEvent

_UNVALIDATED = "x-amz-skip-destination-validation"
# The element with the destination's ARN, by the element of a configuration.
_DESTINATIONS = {
    "QueueConfiguration": "Queue",
    "CloudFunctionConfiguration": "CloudFunction",
    "TopicConfiguration": "Topic",
}
_TESTED = ("QueueConfiguration",)


class Destinations(Protocol):
    """Where messages and events go; what is sent is stored first, and repeated until it has arrived."""

    def problem(self, arn: str, bucket_arn: str) -> str:
        """Why a destination cannot get the notifications of a bucket; empty if it can."""
        ...

    def send(self, arn: str, body: str, bucket_arn: str) -> None:
        """Send a message to a queue or a function."""
        ...

    def publish(self, detail_type: str, detail: Mapping[str, Any], bucket_arn: str) -> None:
        """Publish an event on EventBridge's default bus."""
        ...


class NoDestinations:
    """An S3 that is alone."""

    def problem(self, _arn: str, _bucket_arn: str) -> str:
        return ""

    def send(self, arn: str, body: str, bucket_arn: str) -> None: ...

    def publish(self, detail_type: str, detail: Mapping[str, Any], bucket_arn: str) -> None: ...


class BucketNotifications:
    """Sends the notifications that a bucket's configuration asks for."""

    def __init__(self, store: Store, account: str, now: Callable[[], dt.datetime], destinations: Destinations) -> None:
        self._store = store
        self._account = account
        self._now = now
        self._destinations = destinations

    def check(self, bucket: str, headers: Mapping[str, str], content: bytes) -> None:
        """Refuse a configuration whose destinations cannot get them, unless the request leaves that out."""
        if headers.get(_UNVALIDATED, "").lower() == "true":
            return
        arns = [arn for configuration in xml.parse(content) for arn in _arns(configuration)]
        found = [(arn, self._destinations.problem(arn, f"arn:aws:s3:::{bucket}")) for arn in arns]
        problems = [(arn, problem) for arn, problem in found if problem]
        details: dict[str, str] = {}
        for number, (arn, problem) in enumerate(problems, 1):
            details |= {f"ArgumentName{number}": arn, f"ArgumentValue{number}": problem}
        if details:
            raise invalid("Unable to validate the following destination configurations", **details)

    def __call__(self, event: ObjectEvent) -> None:
        """Tell of a change."""
        text = configuration_text(self._store, event.bucket, "notification")
        if not text:
            return
        root, moment = xml.parse(text.encode()), self._now()
        for arn, identity in _destinations(root, event):
            self._destinations.send(arn, json.dumps(event.record(identity, moment)), event.bucket_arn)
        if root.find("EventBridgeConfiguration") is not None:
            detail_type, detail = event.detail(self._account)
            self._destinations.publish(detail_type, detail, event.bucket_arn)

    def send_test(self, bucket: str) -> None:
        """Send the message by which S3 tries a new configuration; functions get none."""
        text = configuration_text(self._store, bucket, "notification")
        root = xml.parse(text.encode())
        message = {
            "Service": "Amazon S3",
            "Event": "s3:TestEvent",
            "Time": f"{self._now():%Y-%m-%dT%H:%M:%S.000Z}",
            "Bucket": bucket,
            "RequestId": s3_request_id(),
            "HostId": s3_host_id(),
        }
        for name in _TESTED:
            for configuration in root.findall(name):
                arn = configuration.findtext(_DESTINATIONS[name], "")
                self._destinations.send(arn, json.dumps(message), f"arn:aws:s3:::{bucket}")


def _arns(configuration: Element) -> Iterator[str]:
    """The ARN of a configuration's destination; none for EventBridge."""
    arn = configuration.findtext(_DESTINATIONS.get(configuration.tag, ""))
    if arn:
        yield arn


def _destinations(root: Element, event: ObjectEvent) -> Iterator[tuple[str, str]]:
    """The ARNs and the ids of the configurations that an event is for."""
    for configuration in root:
        destination = next(_arns(configuration), "")
        events = [name.text or "" for name in configuration.findall("Event")]
        is_wanted = any(fnmatchcase(f"s3:{event.name}", pattern) for pattern in events)
        if destination and is_wanted and _passes(configuration, event.key):
            yield destination, configuration.findtext("Id", "")


def _passes(configuration: Element, key: str) -> bool:
    for rule in configuration.iter("FilterRule"):
        value = rule.findtext("Value", "")
        tests = {"prefix": key.startswith, "suffix": key.endswith}
        if not tests[rule.findtext("Name", "").lower()](value):
            return False
    return True
