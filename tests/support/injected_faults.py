"""Makes calls to an account fail in the ways in which AWS's calls fail, before and after they have had their effect."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError, ConnectionClosedError, EndpointConnectionError

from pedigree.account.errors import OperationsError
from pedigree.account.plan import ManagedResource
from tests.support.accounts import READING, RecordedClients, account, apply_resources

Call = Callable[[], Any]
CallFault = Callable[[Call], Any]
_ADDRESS = "https://somewhere.amazonaws.com"
_UNIQUE = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def throttled(call: Call) -> Any:
    raise ClientError({"Error": {"Code": "ThrottlingException", "Message": "Rate exceeded"}}, "AnyOperation")


def server_error(call: Call) -> Any:
    raise ClientError({"Error": {"Code": "InternalFailure", "Message": "We are sorry"}}, "AnyOperation")


def server_error_after_effect(call: Call) -> Any:
    with suppress(ClientError):
        call()
    return server_error(call)


def no_connection(call: Call) -> Any:
    raise EndpointConnectionError(endpoint_url=_ADDRESS)


def connection_lost_after_effect(call: Call) -> Any:
    with suppress(ClientError):
        call()
    raise ConnectionClosedError(endpoint_url=_ADDRESS)


FAULTS_BEFORE_EFFECT = (throttled, server_error, no_connection)
FAULTS_AFTER_EFFECT = (server_error_after_effect, connection_lost_after_effect)


@dataclass
class FaultInjector:
    """Makes each call fail once with each of the faults dealt to it, then lets it through."""

    for_writing: Iterator[Sequence[CallFault]]
    for_reading: Iterator[Sequence[CallFault]]
    remaining: dict[str, list[CallFault]] = field(default_factory=dict)
    injected: list[tuple[str, CallFault]] = field(default_factory=list)

    def around(self, service: str, operation: str, arguments: Mapping[str, Any], call: Call) -> Any:
        name = call_name(service, operation, arguments)
        if name not in self.remaining:
            faults = self.for_reading if operation.startswith(READING) else self.for_writing
            self.remaining[name] = list(next(faults))
        if not self.remaining[name]:
            return call()
        fault = self.remaining[name].pop(0)
        self.injected.append((name, fault))
        return fault(call)


def call_name(service: str, operation: str, arguments: Mapping[str, Any]) -> str:
    """A call with its arguments as text, without the identifiers that differ from account to account."""
    return _UNIQUE.sub("…", f"{service} {operation} {json.dumps(arguments, sort_keys=True, default=str)}")


def upsert_until_done(injector: FaultInjector, resources: Sequence[ManagedResource]) -> None:
    """Upsert again and again, as a person would, until one attempt meets no fault."""
    while True:
        before = len(injector.injected)
        try:
            apply_resources(resources, account(RecordedClients(around=injector.around)))
        except OperationsError:
            if len(injector.injected) != before + 1:
                raise  # an error that no fault explains
        else:
            return
