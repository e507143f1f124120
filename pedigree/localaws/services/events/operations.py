"""EventBridge's operations on events: they are accepted, and held against patterns."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pedigree.localaws.http.exchange import Exchange
from pedigree.localaws.http.protocol.errors import InvalidRequestError, ServiceError
from pedigree.localaws.http.protocol.json_documents import document
from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.events import patterns
from pedigree.localaws.services.events.pattern_syntax import check_pattern
from pedigree.localaws.services.events.rules import DEFAULT_BUS, RuleDispatcher

_MOST_BYTES = 262_144
_TIME_BYTES = 14
_COUNTED = ("Source", "DetailType", "Detail")
_EVENT_MEMBERS = ("id", "account", "source", "time", "region", "detail-type")


@dataclass(frozen=True)
class EventBridgeOperations:
    """Accepts events one by one."""

    _world: World
    _rules: RuleDispatcher

    def list_event_sources(self, _exchange: Exchange) -> Mapping[str, Any]:
        """There are no partners here."""
        return {"EventSources": []}

    def put_events(self, exchange: Exchange) -> Mapping[str, Any]:
        """Accept or refuse each event on its own, if all together are not too large."""
        if sum(_size(entry) for entry in exchange.members["Entries"]) > _MOST_BYTES:
            raise InvalidRequestError("Total size of the entries in the request is over the limit.")
        results = [self._put_event(entry) for entry in exchange.members["Entries"]]
        return {"FailedEntryCount": sum("ErrorCode" in result for result in results), "Entries": results}

    def test_event_pattern(self, exchange: Exchange) -> Mapping[str, Any]:
        """Return whether a pattern matches an event."""
        event = _parse_event(exchange.members["Event"])
        return {"Result": patterns.matches(check_pattern(exchange.members["EventPattern"]), event)}

    def _put_event(self, entry: Mapping[str, Any]) -> Mapping[str, Any]:
        refusal = _refusal(entry)
        bus = self._rules.find_bus(entry.get("EventBusName") or DEFAULT_BUS)
        if refusal:
            return refusal
        seconds = entry.get("Time")
        time = dt.datetime.fromtimestamp(seconds, dt.timezone.utc) if isinstance(seconds, (int, float)) else None
        resources, detail = entry.get("Resources") or (), json.loads(entry["Detail"])
        event = self._world.event(entry["Source"], entry["DetailType"], detail, resources, time)
        if bus is not None:
            self._rules.put_event(event, bus)
        return {"EventId": event["id"]}  # as AWS does, accept an event for a bus that does not exist, and drop it


def _parse_event(text: str) -> Mapping[str, Any]:
    """Return the event in a text; it must have what every event has, other than its detail."""
    try:
        event = document(text.encode())
    except ServiceError:
        event = {}
    if not all(name in event for name in _EVENT_MEMBERS):
        raise InvalidRequestError("Parameter Event is not valid.")
    return event


def _size(entry: Mapping[str, Any]) -> int:
    """Return the bytes that an entry counts."""
    texts = [*(entry.get(name) or "" for name in _COUNTED), *(entry.get("Resources") or ())]
    return (_TIME_BYTES if entry.get("Time") else 0) + sum(len(str(text).encode()) for text in texts)


def _refusal(entry: Mapping[str, Any]) -> Mapping[str, str] | None:
    """Return why an entry is refused, or None if it is valid."""
    for name in ("Source", "DetailType", "Detail"):
        if not isinstance(entry.get(name), str) or not entry[name]:
            message = f"Parameter {name} is not valid. Reason: {name} is a required argument."
            return {"ErrorCode": "InvalidArgument", "ErrorMessage": message}
    try:
        document(entry["Detail"].encode())
    except (ServiceError, ValueError):
        return {"ErrorCode": "MalformedDetail", "ErrorMessage": "Detail is malformed."}
    return None
