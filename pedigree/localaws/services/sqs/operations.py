"""What moto's SQS lacks: long polling, since moto answers one request at a time, and a check of policies."""

from __future__ import annotations

from dataclasses import dataclass

from werkzeug import Response

from pedigree.iam import PolicyKind
from pedigree.localaws.http.exchange import Exchange
from pedigree.localaws.http.service import Service
from pedigree.localaws.iam.policy_documents import read_policy
from pedigree.localaws.moto.queue_waiter import QueueWaiter

_MAX_WAIT_SECONDS = 20


@dataclass(frozen=True)
class SqsOperations:
    """Waits for messages before moto receives them, and reads policies before moto stores them."""

    _queues: QueueWaiter
    _moto: Service

    def create_queue(self, exchange: Exchange) -> Response:
        _check_policy(exchange)
        return self._moto(exchange)

    def set_queue_attributes(self, exchange: Exchange) -> Response:
        _check_policy(exchange)
        return self._moto(exchange)

    def receive_message(self, exchange: Exchange) -> Response:
        """Wait as long as the request or the queue says, and then let moto receive without waiting."""
        name = str(exchange.members.get("QueueUrl") or exchange.path).rpartition("/")[2]
        default = self._queues.default_wait(name, exchange.region)
        requested = exchange.members.get("WaitTimeSeconds", default)
        seconds = int(requested) if str(requested).isdecimal() else 0
        if default is not None and 0 < seconds <= _MAX_WAIT_SECONDS:
            self._queues.wait(name, seconds, region=exchange.region)
        return self._moto(exchange)


def _check_policy(exchange: Exchange) -> None:
    policy = (exchange.members.get("Attributes") or {}).get("Policy")
    if policy:
        read_policy(policy, "Invalid value for the parameter Policy: it", PolicyKind.RESOURCE, "InvalidAttributeValue")
