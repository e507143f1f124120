"""The operation of SQS that cannot be left to moto alone: receiving messages may mean to wait for them."""

from __future__ import annotations

from dataclasses import dataclass

from werkzeug import Response

from pedigree.localaws.http.exchange import Exchange
from pedigree.localaws.http.service import Service
from pedigree.localaws.moto.queue_waiter import QueueWaiter

_LONGEST_WAIT = 20


@dataclass(frozen=True)
class SqsOperations:
    """Waits before moto is asked; all else is moto's."""

    _queues: QueueWaiter
    _moto: Service

    def receive_message(self, exchange: Exchange) -> Response:
        """Wait as long as the request or the queue says, in either protocol; then ask moto, which does not wait."""
        name = str(exchange.members.get("QueueUrl") or exchange.path).rpartition("/")[2]
        default = self._queues.default_wait(name, exchange.region)
        wanted = exchange.members.get("WaitTimeSeconds", default)
        seconds = int(wanted) if str(wanted).isdecimal() else 0
        if default is not None and 0 < seconds <= _LONGEST_WAIT:
            self._queues.wait(name, seconds, region=exchange.region)
        return self._moto(exchange)
