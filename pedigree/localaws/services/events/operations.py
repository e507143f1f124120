"""The operations of EventBridge that moto cannot do: events of clients, and patterns and schedules that are checked."""

from __future__ import annotations

import datetime as dt
import io
import json
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pedigree.localaws.http.protocol.documents import document
from pedigree.localaws.http.protocol.errors import InvalidRequestError, ServiceError, UnreadableRequestError
from pedigree.localaws.http.replies import RPC, read, refused, reply
from pedigree.localaws.http.chain import Application, Environ, StartResponse
from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.events import patterns
from pedigree.localaws.services.events.rules import DEFAULT_BUS, RuleDispatcher
from pedigree.schedules import cron

_MOST_ENTRIES = 10
_LARGEST_ENTRY = 262_144
_LARGEST_REQUEST = 8 << 20
_RULES_FORMS = ("cron(", "rate(")


class EventsApi:
    """EventBridge over HTTP; what is not done here is moto's."""

    def __init__(self, world: World, rules: RuleDispatcher, others: Application) -> None:
        self._world = world
        self._rules = rules
        self._others = others
        self._operations: Mapping[str, Callable[[Mapping[str, Any]], Mapping[str, Any] | None]] = {
            "AWSEvents.PutEvents": self._put_events,
            "AWSEvents.TestEventPattern": self._test_pattern,
            "AWSEvents.PutRule": self._check_rule,
        }

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """The answer to a request."""
        operation = self._operations.get(environ.get("HTTP_X_AMZ_TARGET", ""))
        if operation is None:
            return self._others(environ, start_response)
        try:
            body = read(environ, _LARGEST_REQUEST)
            told = operation(document(body))
        except ServiceError as error:
            return refused(error, kind=RPC)(environ, start_response)
        if told is None:
            environ["wsgi.input"] = io.BytesIO(body)
            return self._others(environ, start_response)
        return reply(told, kind=RPC)(environ, start_response)

    def _put_events(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        entries = request.get("Entries")
        if not isinstance(entries, list) or not all(isinstance(one, dict) for one in entries):
            raise UnreadableRequestError("Entries has to be a list of structures")
        if not 1 <= len(entries) <= _MOST_ENTRIES:
            bound = f"less than or equal to {_MOST_ENTRIES}" if entries else "greater than or equal to 1"
            raise InvalidRequestError(
                "1 validation error detected: Value '[PutEventsRequestEntry]' at 'entries' failed to satisfy "
                f"constraint: Member must have length {bound}"
            )
        answers = [self._put_event(one) for one in entries]
        return {"FailedEntryCount": sum("ErrorCode" in one for one in answers), "Entries": answers}

    def _put_event(self, entry: Mapping[str, Any]) -> Mapping[str, Any]:
        refusal = _refusal(entry)
        bus = self._rules.bus_of(entry.get("EventBusName") or DEFAULT_BUS)
        if refusal:
            return refusal
        name = str(uuid.uuid4())
        if bus is not None:
            self._rules.tell(self._event(name, entry), bus)
        return {"EventId": name}  # an event for a bus that is not there is taken, too, and goes nowhere

    def _event(self, name: str, entry: Mapping[str, Any]) -> dict[str, Any]:
        told = entry.get("Time")
        is_told = isinstance(told, (int, float)) and not isinstance(told, bool)
        time = dt.datetime.fromtimestamp(told, dt.timezone.utc) if is_told else self._world.clock.now()  # type: ignore[arg-type]
        return {
            "version": "0",
            "id": name,
            "detail-type": entry["DetailType"],
            "source": entry["Source"],
            "account": self._world.account,
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": self._world.region,
            "resources": entry.get("Resources") or [],
            "detail": json.loads(entry["Detail"]),
        }

    def _test_pattern(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        event = document(str(request.get("Event", "")).encode())
        return {"Result": patterns.matches(_pattern(request.get("EventPattern")), event)}

    def _check_rule(self, request: Mapping[str, Any]) -> None:
        if request.get("EventPattern"):
            _pattern(request["EventPattern"])
        if expression := request.get("ScheduleExpression"):
            try:
                cron.parse(str(expression))
            except ValueError:
                expression = ""
            if not str(expression).startswith(_RULES_FORMS):
                raise InvalidRequestError("Parameter ScheduleExpression is not valid.")


def _pattern(text: Any) -> Mapping[str, Any]:
    try:
        return patterns.checked(str(text))
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
