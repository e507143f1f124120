"""Tells what a bucket's notification configuration names of changes of objects: queues, functions and EventBridge."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any, TypeAlias
from xml.etree.ElementTree import Element

from pedigree.localaws.http.protocol import xml
from pedigree.localaws.http.protocol.s3_request_ids import s3_host_id, s3_request_id
from pedigree.localaws.kernel.store import Store
from pedigree.localaws.services.s3.bucket_configuration import configuration_text
from pedigree.localaws.services.s3.object_events import ObjectEvent

Send: TypeAlias = Callable[[str, str, str], None]
"""Sends a message to an ARN, for a bucket's ARN."""
Publish: TypeAlias = Callable[[str, Mapping[str, Any], str], None]
"""Publishes an event on EventBridge's default bus: its type, its detail, and a bucket's ARN."""
# The element with the destination's ARN, by the element of a configuration; a topic's would need SNS.
_DESTINATIONS = {"QueueConfiguration": "Queue", "CloudFunctionConfiguration": "CloudFunction"}
_TESTED = ("QueueConfiguration",)


class BucketNotifications:
    """Sends messages and events; both are stored before they are sent, by those who send them."""

    def __init__(self, store: Store, account: str, now: Callable[[], dt.datetime], send: Send, publish: Publish):
        self._store = store
        self._account = account
        self._now = now
        self._send = send
        self._publish = publish

    def __call__(self, event: ObjectEvent) -> None:
        """Tell of a change."""
        text = configuration_text(self._store, event.bucket, "notification")
        if not text:
            return
        root, moment = xml.parse(text.encode()), self._now()
        for arn, identity in _destinations(root, event):
            self._send(arn, json.dumps(event.record(identity, moment)), event.bucket_arn)
        if root.find("EventBridgeConfiguration") is not None:
            detail_type, detail = event.detail(self._account)
            self._publish(detail_type, detail, event.bucket_arn)

    def send_test(self, bucket: str) -> None:
        """Send the message by which S3 tries a new configuration; functions get none."""
        root = xml.parse(configuration_text(self._store, bucket, "notification").encode())
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
                self._send(arn, json.dumps(message), f"arn:aws:s3:::{bucket}")


def _destinations(root: Element, event: ObjectEvent) -> Iterator[tuple[str, str]]:
    """The ARNs and the ids of the configurations that an event is for."""
    for configuration in root:
        destination = configuration.findtext(_DESTINATIONS.get(configuration.tag, ""))
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
