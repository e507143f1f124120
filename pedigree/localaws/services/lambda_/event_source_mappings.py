"""Event source mappings: for each that is enabled there is a poller, and for no other."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from pedigree.localaws.kernel.clients import Clients
from pedigree.localaws.kernel.loop import WakeableLoop
from pedigree.localaws.moto.queues import Queues
from pedigree.localaws.moto.services import Records
from pedigree.localaws.services.events import patterns
from pedigree.localaws.services.lambda_.function_catalog import split
from pedigree.localaws.services.lambda_.invoker import Invoker
from pedigree.localaws.services.lambda_.queue_poller import DEFAULT_CONCURRENCY, EventSourceMapping, QueuePoller

_LOG = logging.getLogger(__name__)
_SERVICE = "awslambda"
_LOOK_SECONDS = 1.0


class EventSourceMappings:
    """Keeps a poller for every mapping that is enabled."""

    def __init__(self, records: Records, queues: Queues, clients: Clients, invoker: Invoker, region: str) -> None:
        self._records = records
        self._queues = queues
        self._clients = clients
        self._invoker = invoker
        self._region = region
        self._pollers: dict[EventSourceMapping, QueuePoller] = {}
        self._loop = WakeableLoop("mappings", self._look)
        records.listen(self._hear)

    def begin(self) -> None:
        """Look into the queues from now on."""
        self._take_from_moto()
        self._loop.start()

    def end(self) -> None:
        """Look no more; what is under way is not waited for."""
        self._loop.stop()
        for poller in self._pollers.values():
            poller.end()
        self._queues.wake()

    def _hear(self, service: str) -> None:
        if service == _SERVICE:
            self._take_from_moto()
            self._loop.wake()

    def _take_from_moto(self) -> None:
        """moto would call a function itself whenever a message is sent: let it not."""
        with self._records.held("sqs", self._region) as backend:
            for queue in backend.queues.values():
                queue.lambda_event_source_mappings.clear()

    def _look(self) -> float:
        wanted = self._wanted()
        for mapped in self._pollers.keys() - wanted:
            self._pollers.pop(mapped).end()
        for mapped in wanted - self._pollers.keys():
            self._pollers[mapped] = QueuePoller(mapped, self._queues, self._clients, self._invoker)
        return _LOOK_SECONDS

    def _wanted(self) -> set[EventSourceMapping]:
        with self._records.held(_SERVICE, self._region) as backend:
            known = list(backend._event_source_mappings.values())
            return {_mapped(one) for one in known if one.enabled and ":sqs:" in one.event_source_arn}


def _mapped(one: Any) -> EventSourceMapping:
    told = (one.filter_criteria or {}).get("Filters") or []
    is_same = split(one.function_name)[0] == split(one.function_arn)[0]
    return EventSourceMapping(
        id=one.uuid,
        function=one.function_name if is_same else one.function_arn,
        queue=one.event_source_arn,
        size=one.batch_size,
        window=float(one.max_batch_window or 0),
        reports_failures="ReportBatchItemFailures" in (one.function_response_types or ()),
        filters=_filters(told),
        at_once=(one.scaling_config or {}).get("MaximumConcurrency") or DEFAULT_CONCURRENCY,
    )


def _filters(told: Sequence[Mapping[str, Any]]) -> tuple[Mapping[str, Any], ...]:
    try:
        return tuple(patterns.checked(one["Pattern"]) for one in told)
    except (ValueError, KeyError):
        _LOG.warning("a filter is no pattern, and lets everything through: %s", json.dumps(told))
        return ()
