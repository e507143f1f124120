"""Event source mappings: runs a poller for every enabled mapping of a queue."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from pedigree.localaws.kernel.clients import Clients
from pedigree.localaws.kernel.loop import WakeableLoop
from pedigree.localaws.moto.backends import MotoBackends
from pedigree.localaws.moto.queue_waiter import QueueWaiter
from pedigree.localaws.services.events import pattern_syntax
from pedigree.localaws.services.lambda_.function_catalog import split_name
from pedigree.localaws.services.lambda_.invoker import Invoker
from pedigree.localaws.services.lambda_.queue_poller import DEFAULT_CONCURRENCY, EventSourceMapping, QueuePoller

_LOG = logging.getLogger(__name__)
_SERVICE = "awslambda"
_POLL_SECONDS = 1.0


class EventSourceMappings:
    """Starts and stops pollers as mappings come and go."""

    def __init__(
        self, backends: MotoBackends, queues: QueueWaiter, clients: Clients, invoker: Invoker, region: str
    ) -> None:
        self._backends = backends
        self._queues = queues
        self._clients = clients
        self._invoker = invoker
        self._region = region
        self._pollers: dict[EventSourceMapping, QueuePoller] = {}
        self._loop = WakeableLoop("mappings", self._reconcile)
        backends.on_change(self._on_change)

    def start(self) -> None:
        """Poll queues."""
        self._disable_moto_mappings()
        self._loop.start()

    def stop(self) -> None:
        """Poll no more; pending invocations are not waited for."""
        self._loop.stop()
        for poller in self._pollers.values():
            poller.stop()
        self._queues.wake()

    def _on_change(self, service: str) -> None:
        if service == _SERVICE:
            self._disable_moto_mappings()
            self._loop.wake()

    def _disable_moto_mappings(self) -> None:
        """Prevent moto from invoking functions itself when a message is sent."""
        with self._backends.backend("sqs", self._region) as backend:
            for queue in backend.queues.values():
                queue.lambda_event_source_mappings.clear()

    def _reconcile(self) -> float:
        enabled = self._enabled_mappings()
        for mapping in self._pollers.keys() - enabled:
            self._pollers.pop(mapping).stop()
        for mapping in enabled - self._pollers.keys():
            self._pollers[mapping] = QueuePoller(mapping, self._queues, self._clients, self._invoker)
        return _POLL_SECONDS

    def _enabled_mappings(self) -> set[EventSourceMapping]:
        with self._backends.backend(_SERVICE, self._region) as backend:
            mappings = list(backend._event_source_mappings.values())
            return {
                _event_source_mapping(mapping)
                for mapping in mappings
                if mapping.enabled and ":sqs:" in mapping.event_source_arn
            }


def _event_source_mapping(mapping: Any) -> EventSourceMapping:
    """Copy one of moto's mappings."""
    filters = (mapping.filter_criteria or {}).get("Filters") or []
    is_unqualified = split_name(mapping.function_name)[0] == split_name(mapping.function_arn)[0]
    return EventSourceMapping(
        id=mapping.uuid,
        function=mapping.function_name if is_unqualified else mapping.function_arn,
        queue_arn=mapping.event_source_arn,
        batch_size=mapping.batch_size,
        window_seconds=float(mapping.max_batch_window or 0),
        reports_failures="ReportBatchItemFailures" in (mapping.function_response_types or ()),
        filters=_parse_filters(filters),
        concurrency=(mapping.scaling_config or {}).get("MaximumConcurrency") or DEFAULT_CONCURRENCY,
    )


def _parse_filters(filters: Sequence[Mapping[str, Any]]) -> tuple[Mapping[str, Any], ...]:
    try:
        return tuple(pattern_syntax.parse(criterion["Pattern"]) for criterion in filters)
    except (ValueError, KeyError):
        _LOG.warning("malformed filters let every message through: %s", json.dumps(filters))
        return ()
