"""One AWS account in one region: calls by name, and errors with a remedy.

All calls go through here, so that a refusal always has the same form (which action, on what, in whose policy), a
missing resource is None and not an error, and tests can pass their own clients.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from pedigree.account import refusals
from pedigree.clock import Clock, SystemClock

Clients = Callable[[str], Any]
# Where calls on many things say which of them they could not do, in an answer that is otherwise a success.
_FAILURES = ("FailedEntries", "Errors")


@dataclass(frozen=True)
class Account:
    """Where calls go: the account's id and region, a client for each service, and whose policies decide."""

    id: str
    region: str
    clients: Clients
    caller: str = ""
    clock: Clock = field(default_factory=SystemClock)
    has_console: bool = True

    @property
    def console(self) -> str:
        """The region of the account's console; empty for the local AWS, which has none."""
        return self.region if self.has_console else ""

    def call(self, service: str, operation: str, /, **arguments: Any) -> Any:
        """The answer to one call; raises OperationsError if AWS refuses."""
        try:
            return self._ask(service, operation, arguments)
        except (ClientError, BotoCoreError) as error:
            raise refusals.explained(error, service, operation, arguments, self.caller) from error

    def find(self, service: str, operation: str, /, **arguments: Any) -> Any:
        """The answer to one call, or None if the resource does not exist."""
        try:
            return self._ask(service, operation, arguments)
        except (ClientError, BotoCoreError) as error:
            if isinstance(error, ClientError) and refusals.is_absence(error, service):
                return None
            raise refusals.explained(error, service, operation, arguments, self.caller) from error

    def each(self, service: str, operation: str, key: str, /, **arguments: Any) -> Iterator[Any]:
        """The entries under a key of all pages of a listing; a service without pages has one."""
        client = self.clients(service)
        try:
            if client.can_paginate(operation):
                for page in client.get_paginator(operation).paginate(**arguments):
                    yield from page.get(key, ())
            else:
                yield from getattr(client, operation)(**arguments).get(key, ())
        except (ClientError, BotoCoreError) as error:
            raise refusals.explained(error, service, operation, arguments, self.caller) from error

    def read(self, service: str, operation: str, body: Any) -> bytes:
        """Reads the stream of an answer; the connection may be cut meanwhile."""
        try:
            return bytes(body.read())
        except BotoCoreError as error:
            raise refusals.explained(error, service, operation, {}, self.caller) from error

    def _ask(self, service: str, operation: str, arguments: Mapping[str, Any]) -> Any:
        answer = getattr(self.clients(service), operation)(**arguments)
        failures = [failure for key in _FAILURES for failure in (answer or {}).get(key, ())]
        if failures:
            raise refusals.partial(failures, service, operation)
        return answer
