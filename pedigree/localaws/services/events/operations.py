"""EventBridge's operations that moto lacks or does not validate: events, patterns and schedules."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from werkzeug import Response

from pedigree.iam import PolicyKind
from pedigree.localaws.http.exchange import Exchange
from pedigree.localaws.http.protocol.errors import InvalidRequestError, ServiceError
from pedigree.localaws.http.protocol.json_documents import document
from pedigree.localaws.http.service import Service
from pedigree.localaws.iam.policy_documents import read_policy
from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.events import pattern_syntax, patterns
from pedigree.localaws.services.events.rules import DEFAULT_BUS, RuleDispatcher
from pedigree.schedules import cron

_MAX_ENTRY_BYTES = 262_144
_RULE_EXPRESSIONS = ("cron(", "rate(")
_EVENT_MEMBERS = ("id", "account", "source", "time", "region", "detail-type")


@dataclass(frozen=True)
class EventBridgeOperations:
    """Accepts events, and validates rules before moto stores them."""

    _world: World
    _rules: RuleDispatcher
    _moto: Service

    def list_event_sources(self, _exchange: Exchange) -> Mapping[str, Any]:
        """There are no partners here."""
        return {"EventSources": []}

    def put_events(self, exchange: Exchange) -> Mapping[str, Any]:
        """Accept or refuse each event on its own."""
        results = [self._put_event(entry) for entry in exchange.members["Entries"]]
        return {"FailedEntryCount": sum("ErrorCode" in result for result in results), "Entries": results}

    def test_event_pattern(self, exchange: Exchange) -> Mapping[str, Any]:
        """Return whether a pattern matches an event."""
        event = _parse_event(exchange.members["Event"])
        return {"Result": patterns.matches(_parse_pattern(exchange.members["EventPattern"]), event)}

    def put_rule(self, exchange: Exchange) -> Response:
        """Store a rule if its pattern and schedule are valid."""
        if pattern := exchange.members.get("EventPattern"):
            _parse_pattern(pattern)
        if expression := exchange.members.get("ScheduleExpression"):
            _check_schedule(expression)
        return self._moto(exchange)

    def put_permission(self, exchange: Exchange) -> Response:
        """Store statements of a bus's policy that moto keeps whole."""
        if text := exchange.members.get("Policy"):
            policy = read_policy(text, "The policy", PolicyKind.RESOURCE, "ValidationException")
            if not all(statement.sid for statement in policy.statements):
                raise InvalidRequestError("Each statement of the policy needs a Sid.")
            elements = {name for statement in _listed(json.loads(text)["Statement"]) for name in statement}
            for name in sorted(elements & {"NotPrincipal", "NotAction", "NotResource"}):
                raise InvalidRequestError(f"{name} in the policy of an event bus is not supported by the local AWS.")
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


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _check_schedule(expression: str) -> None:
    try:
        cron.parse(expression)
    except ValueError:
        expression = ""
    if not expression.startswith(_RULE_EXPRESSIONS):
        raise InvalidRequestError("Parameter ScheduleExpression is not valid.")


def _parse_event(text: str) -> Mapping[str, Any]:
    """Return the event in a text; it must have what every event has, other than its detail."""
    try:
        event = document(text.encode())
    except ServiceError:
        event = {}
    if not all(name in event for name in _EVENT_MEMBERS):
        raise InvalidRequestError("Parameter Event is not valid.")
    return event


def _parse_pattern(text: str) -> Mapping[str, Any]:
    try:
        return pattern_syntax.parse(text)
    except ValueError as error:
        raise ServiceError("InvalidEventPatternException", str(error)) from None


def _refusal(entry: Mapping[str, Any]) -> Mapping[str, str] | None:
    """Return why an entry is refused, or None if it is valid."""
    for name in ("Source", "DetailType", "Detail"):
        if not isinstance(entry.get(name), str) or not entry[name]:
            message = f"Parameter {name} is not valid. Reason: {name} is a required argument."
            return {"ErrorCode": "InvalidArgument", "ErrorMessage": message}
    if len(entry["Detail"].encode()) > _MAX_ENTRY_BYTES:
        message = "Total size of the entries in the request is over the limit."
        return {"ErrorCode": "InvalidArgument", "ErrorMessage": message}
    try:
        document(entry["Detail"].encode())
    except (ServiceError, ValueError):
        return {"ErrorCode": "MalformedDetail", "ErrorMessage": "Detail is malformed."}
    return None
