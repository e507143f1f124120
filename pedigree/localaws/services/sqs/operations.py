"""SQS's long polling, which moto alone cannot do: it answers one request at a time."""

from __future__ import annotations

from dataclasses import dataclass

from werkzeug import Response

from pedigree.localaws.http.exchange import Exchange
from pedigree.localaws.http.service import Service
from pedigree.localaws.moto.queue_waiter import QueueWaiter

_MAX_WAIT_SECONDS = 20


@dataclass(frozen=True)
class SqsOperations:
    """Waits for messages before moto receives them."""

    _queues: QueueWaiter
    _moto: Service

    def receive_message(self, exchange: Exchange) -> Response:
        """Wait as long as the request or the queue says, and then let moto receive without waiting."""
        name = str(exchange.members.get("QueueUrl") or exchange.path).rpartition("/")[2]
        default = self._queues.default_wait(name, exchange.region)
        requested = exchange.members.get("WaitTimeSeconds", default)
        seconds = int(requested) if str(requested).isdecimal() else 0
        if default is not None and 0 < seconds <= _MAX_WAIT_SECONDS:
            self._queues.wait(name, seconds, region=exchange.region)
        return self._moto(exchange)
