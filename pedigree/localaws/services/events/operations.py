"""The operations of EventBridge that moto lacks, or of which it takes any values: events, patterns and schedules."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from werkzeug import Response

from pedigree.localaws.http.exchange import Exchange
from pedigree.localaws.http.protocol.errors import InvalidRequestError, ServiceError
from pedigree.localaws.http.protocol.json_documents import document
from pedigree.localaws.http.service import Service
from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.events import patterns
from pedigree.localaws.services.events.rules import DEFAULT_BUS, RuleDispatcher
from pedigree.schedules import cron

_LARGEST_ENTRY = 262_144
_RULES_FORMS = ("cron(", "rate(")


@dataclass(frozen=True)
class EventBridgeOperations:
    """Takes events, and checks rules before moto keeps them; all else is moto's."""

    _world: World
    _rules: RuleDispatcher
    _moto: Service

    def put_events(self, exchange: Exchange) -> Mapping[str, Any]:
        """Take events, each by itself."""
        results = [self._put_event(entry) for entry in exchange.members["Entries"]]
        return {"FailedEntryCount": sum("ErrorCode" in result for result in results), "Entries": results}

    def test_event_pattern(self, exchange: Exchange) -> Mapping[str, Any]:
        """Say whether a pattern matches an event."""
        event = document(exchange.members["Event"].encode())
        return {"Result": patterns.matches(_pattern(exchange.members["EventPattern"]), event)}

    def put_rule(self, exchange: Exchange) -> Response:
        """Keep a rule whose pattern and schedule can be followed."""
        if pattern := exchange.members.get("EventPattern"):
            _pattern(pattern)
        if expression := exchange.members.get("ScheduleExpression"):
            _check_schedule(expression)
        return self._moto(exchange)

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


def _check_schedule(expression: str) -> None:
    try:
        cron.parse(expression)
    except ValueError:
        expression = ""
    if not expression.startswith(_RULES_FORMS):
        raise InvalidRequestError("Parameter ScheduleExpression is not valid.")


def _pattern(text: str) -> Mapping[str, Any]:
    try:
        return patterns.parse(text)
    except ValueError as error:
        raise ServiceError("InvalidEventPatternException", str(error)) from None


def _refusal(entry: Mapping[str, Any]) -> Mapping[str, str] | None:
    """Why an entry is no event; None if it is one."""
    for name in ("Source", "DetailType", "Detail"):
        if not isinstance(entry.get(name), str) or not entry[name]:
            words = f"Parameter {name} is not valid. Reason: {name} is a required argument."
            return {"ErrorCode": "InvalidArgument", "ErrorMessage": words}
    if len(entry["Detail"].encode()) > _LARGEST_ENTRY:
        words = "Total size of the entries in the request is over the limit."
        return {"ErrorCode": "InvalidArgument", "ErrorMessage": words}
    try:
        document(entry["Detail"].encode())
    except (ServiceError, ValueError):
        return {"ErrorCode": "MalformedDetail", "ErrorMessage": "Detail is malformed."}
    return None
