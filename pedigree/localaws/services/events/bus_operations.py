"""EventBridge's operations on event buses, their policies, and the tags of buses and rules."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from werkzeug import Response

from pedigree.iam import PolicyKind
from pedigree.localaws.http.exchange import Exchange
from pedigree.localaws.http.protocol.errors import InvalidRequestError, ServiceError
from pedigree.localaws.http.service import Service
from pedigree.localaws.iam.callers import UseBackend
from pedigree.localaws.iam.policy_documents import read_policy
from pedigree.localaws.services.events.moto_answers import members_of

_SERVICE = "events"
_GIVEN = ("Description", "KmsKeyIdentifier", "DeadLetterConfig")
_UNSUPPORTED = {"NotPrincipal", "NotAction", "NotResource"}


def not_found(message: str) -> ServiceError:
    """Return the error for what does not exist."""
    return ServiceError("ResourceNotFoundException", message)


@dataclass(frozen=True)
class BusOperations:
    """Adds what moto's answers lack, and checks what moto does not."""

    _use_backend: UseBackend
    _moto: Service

    def create_event_bus(self, exchange: Exchange) -> Mapping[str, Any]:
        """Make an event bus; the answer repeats what it was made with."""
        given = {name: exchange.members.get(name) for name in _GIVEN}
        return {**members_of(self._moto, exchange), **given}

    def list_event_buses(self, exchange: Exchange) -> Mapping[str, Any]:
        """List event buses with their times."""
        answer = members_of(self._moto, exchange)
        with self._use_backend(_SERVICE, exchange.region) as backend:
            buses = [{**bus, **_times(backend.event_buses[bus["Name"]])} for bus in answer["EventBuses"]]
        return {**answer, "EventBuses": buses}

    def put_permission(self, exchange: Exchange) -> Response:
        """Store statements of a bus's policy that moto keeps whole."""
        if text := exchange.members.get("Policy"):
            policy = read_policy(text, "The policy", PolicyKind.RESOURCE, "ValidationException")
            if not all(statement.sid for statement in policy.statements):
                raise InvalidRequestError("Each statement of the policy needs a Sid.")
            elements = {name for statement in _listed(json.loads(text)["Statement"]) for name in statement}
            for name in sorted(elements & _UNSUPPORTED):
                raise InvalidRequestError(f"{name} in the policy of an event bus is not supported by the local AWS.")
        return self._moto(exchange)

    def remove_permission(self, exchange: Exchange) -> Response:
        """Remove a statement that exists, or all."""
        name = str(exchange.members.get("EventBusName") or "default").rpartition("/")[2]
        with self._use_backend(_SERVICE, exchange.region) as backend:
            bus = backend.event_buses.get(name)
            has_no_policy = bus is not None and not bus.has_permissions()
        if has_no_policy and not exchange.members.get("RemoveAllPermissions"):
            raise not_found("Statement with the provided id does not exist.")
        return self._moto(exchange)

    def list_tags_for_resource(self, exchange: Exchange) -> Response:
        return self._with_resource(exchange)

    def tag_resource(self, exchange: Exchange) -> Response:
        return self._with_resource(exchange)

    def untag_resource(self, exchange: Exchange) -> Response:
        return self._with_resource(exchange)

    def _with_resource(self, exchange: Exchange) -> Response:
        """Call moto, which looks for names only, if a bus or a rule has the ARN."""
        kind, _, path = str(exchange.members["ResourceARN"]).rpartition(":")[2].partition("/")
        with self._use_backend(_SERVICE, exchange.region) as backend:
            if kind == "event-bus" and path not in backend.event_buses:
                raise not_found(f"Event bus {path} does not exist.")
            if kind == "rule":
                find_rule(backend, path.rpartition("/")[0], path.rpartition("/")[2])
        return self._moto(exchange)


def find_rule(backend: Any, bus_name_or_arn: str | None, name: str) -> Any:
    """Return one of moto's rules, or raise AWS's error."""
    bus_name = (bus_name_or_arn or "default").rpartition("/")[2]
    bus = backend.event_buses.get(bus_name)
    if bus is None:
        raise not_found(f"Event bus {bus_name} does not exist.")
    if name not in bus.rules:
        raise not_found(f"Rule {name} does not exist on EventBus {bus_name}.")
    return bus.rules[name]


def _times(bus: Any) -> Mapping[str, Any]:
    """Return what a list has of a bus beside its name; the bus that every account has is older than all others."""
    times = {"CreationTime": bus.creation_time, "LastModifiedTime": bus.last_modified_time}
    return {"Description": bus.description, **times}


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
