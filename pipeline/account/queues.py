"""The queues of waiting steps, and their dead-letter queues.

The await queue is a clock: a message that is not deleted becomes visible again after the visibility time-out, and is
received once more. So the visibility time-out is the time between two polls of the endpoint. maxReceiveCount allows as
many receives as the function needs until it gives up; a message that comes back more often goes to the dead letters.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from pedigree.account import differences
from pedigree.account.account import Account
from pedigree.account.plan import ApiCall, Change
from pipeline.account import tags
from pipeline.settings.tree import Settings
from steps.functions import queue_name

_DAY = 86_400
_KEPT_DAYS = 4
_DEAD_KEPT_DAYS = 14
_SPARE_RECEIVES = 10


@dataclass(frozen=True)
class Queue:
    """A queue, encrypted by SQS, TLS only."""

    name: str
    arn: str
    tags: tags.Tags
    attributes: Mapping[str, str] = field(default_factory=dict)

    def changes(self, account: Account) -> Iterator[Change]:
        """Create it, or update what differs."""
        wanted = {**self.attributes, "SqsManagedSseEnabled": "true", "Policy": json.dumps(self._over_tls_only())}
        existing = account.find("sqs", "get_queue_url", QueueName=self.name)
        if existing is None:
            made = {"QueueName": self.name, "Attributes": wanted, "tags": dict(self.tags)}
            yield Change("create", "queue", self.name, (ApiCall("sqs", "create_queue", made),))
            return
        url = {"QueueUrl": existing["QueueUrl"]}
        there = account.call("sqs", "get_queue_attributes", **url, AttributeNames=["All"]).get("Attributes", {})
        labels = account.call("sqs", "list_queue_tags", **url).get("Tags", {})
        lacking = tags.lacking("queue", self.name, labels, self.tags)
        if there.get("KmsMasterKeyId"):
            del wanted["SqsManagedSseEnabled"]  # a key of KMS encrypts it already, which is stronger
        changed = {name: value for name, value in wanted.items() if _meaning(there.get(name)) != _meaning(value)}
        calls = []
        if changed:
            calls.append(ApiCall("sqs", "set_queue_attributes", {**url, "Attributes": wanted}))
        if lacking:
            calls.append(ApiCall("sqs", "tag_queue", {**url, "Tags": lacking}))
        if calls:
            why = (*differences.fields(there, changed), *tags.differences(labels, lacking))
            yield Change("update", "queue", self.name, tuple(calls), why)

    def _over_tls_only(self) -> Mapping[str, object]:
        statement = {
            "Sid": "OverTlsOnly",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "sqs:*",
            "Resource": self.arn,
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
        return {"Version": "2012-10-17", "Statement": [statement]}


def await_queues(settings: Settings) -> tuple[Queue, Queue]:
    """The dead letters first, because the await queue names them."""
    name, waiting = queue_name(settings.pipeline.name), settings.functions.await_
    dead, ours = dead_letters(name, settings), tags.wanted(settings)
    # Lambda takes no queue whose messages come back before the function that has them may be over.
    visibility = max(waiting.poll_seconds, waiting.timeout_seconds)
    receives = -(-waiting.give_up_minutes * 60 // visibility) + _SPARE_RECEIVES
    redrive = {"deadLetterTargetArn": dead.arn, "maxReceiveCount": receives}
    attributes = {
        "VisibilityTimeout": str(visibility),
        "MessageRetentionPeriod": str(_KEPT_DAYS * _DAY),
        "RedrivePolicy": json.dumps(redrive),
    }
    return dead, Queue(name, settings.site.arn("sqs", name), ours, attributes)


def dead_letters(source: str, settings: Settings) -> Queue:
    """The dead-letter queue of another queue."""
    name = f"{source}-dead"
    allowed = {"redrivePermission": "byQueue", "sourceQueueArns": [settings.site.arn("sqs", source)]}
    attributes = {"MessageRetentionPeriod": str(_DEAD_KEPT_DAYS * _DAY), "RedriveAllowPolicy": json.dumps(allowed)}
    return Queue(name, settings.site.arn("sqs", name), tags.wanted(settings), attributes)


def schedule_dead_letters(settings: Settings) -> Queue:
    """The dead-letter queue of scheduled starts."""
    name = f"{settings.pipeline.name}-schedule-dead"
    attributes = {"MessageRetentionPeriod": str(_DEAD_KEPT_DAYS * _DAY)}
    return Queue(name, settings.site.arn("sqs", name), tags.wanted(settings), attributes)


def _meaning(value: str | None) -> object:
    """The attribute's value; some are JSON in a string."""
    return differences.canonical(json.loads(value)) if value and value.startswith("{") else value
