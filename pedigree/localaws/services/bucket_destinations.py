"""Delivers the event notifications of buckets to queues, functions and EventBridge, which know nothing of S3."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pedigree.iam import Request
from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.iam.authorizer import Authorizer
from pedigree.localaws.kernel.world import World
from pedigree.localaws.moto.queue_waiter import QueueWaiter
from pedigree.localaws.services.events.deliveries import DeliveryQueue
from pedigree.localaws.services.events.targets import target_delivery

_S3 = "s3.amazonaws.com"
_NO_QUEUE = "The destination queue does not exist"
_CLOSED_QUEUE = "Permissions on the destination queue do not allow S3 to publish notifications from this bucket"
_NO_TOPIC = "The destination topic does not exist"


class BucketDestinations:
    """The destinations of notifications; a message is a delivery, which survives a killed daemon."""

    def __init__(self, world: World, deliveries: DeliveryQueue, authorizer: Authorizer, queues: QueueWaiter) -> None:
        self._world = world
        self._deliveries = deliveries
        self._authorizer = authorizer
        self._queues = queues

    def problem(self, arn: str, bucket_arn: str) -> str:
        """Why a destination cannot get the notifications of a bucket, in AWS's words; empty if it can."""
        _, _, service, region, *_, name = arn.split(":")
        if service == "sns":
            return _NO_TOPIC
        if service == "sqs":
            if self._queues.default_wait(name, region) is None:
                return _NO_QUEUE
            return "" if self._is_allowed("sqs:SendMessage", arn, bucket_arn) else _CLOSED_QUEUE
        is_allowed = self._is_allowed("lambda:InvokeFunction", arn, bucket_arn)
        return "" if is_allowed else f"Not authorized to invoke function [{arn}]"

    def _is_allowed(self, action: str, arn: str, bucket_arn: str) -> bool:
        source: dict[str, str | bool] = {
            "aws:SourceArn": bucket_arn,
            "aws:SourceAccount": self._world.account,
            "aws:SecureTransport": True,
        }
        try:
            self._authorizer.check_service(_S3, Request(action, arn, source))
        except ServiceError:
            return False
        return True

    def send(self, arn: str, body: str, bucket_arn: str) -> None:
        """Store a message for a queue or a function."""
        now = self._deliveries.now()
        self._deliveries.add(target_delivery({"Arn": arn}, body, now, (_S3, bucket_arn), {}))

    def publish(self, detail_type: str, detail: Mapping[str, Any], bucket_arn: str) -> None:
        """Publish an event, as all of AWS's services do."""
        self._world.bus.publish(self._world.event("aws.s3", detail_type, detail, [bucket_arn]))
