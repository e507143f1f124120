"""Answers a service's calls: by its own operations, and by a fallback for all others."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from typing import Any, Protocol, TypeAlias, runtime_checkable

from botocore import xform_name
from werkzeug import Response

from pedigree.localaws.http.exchange import Exchange
from pedigree.localaws.http.parser import is_form, speaks_cbor
from pedigree.localaws.http.protocol import cbor_protocol
from pedigree.localaws.http.protocol.query_answers import query_answer
from pedigree.localaws.http.protocol.serializer import answer

Operation: TypeAlias = Callable[[Exchange], Response | Mapping[str, Any]]
"""Answers a call with the members of its output, or with a whole response."""


class Service(Protocol):
    """Answers the exchanges of one service."""

    def supports(self, operation: str, /) -> bool:
        """Whether an operation of the service's model can be done."""
        ...

    def __call__(self, exchange: Exchange) -> Response:
        """The answer to a request; ServiceError if it is refused."""
        ...


@runtime_checkable
class HeadChecker(Protocol):
    """A service that can refuse a request before its body is received."""

    def check_head(self, exchange: Exchange) -> None:
        """ServiceError for a request that would be refused whatever its body is."""
        ...


def head_checker(services: Mapping[str, Service]) -> Callable[[Exchange], None]:
    """Lets services refuse requests before their bodies are received."""
    checkers = {name: service for name, service in services.items() if isinstance(service, HeadChecker)}

    def check_head(exchange: Exchange) -> None:
        if exchange.service in checkers:
            checkers[exchange.service].check_head(exchange)

    return check_head


def answerer(services: Mapping[str, Service]) -> Callable[[Exchange], Response]:
    """Lets a request's service answer, in the protocol that the request speaks."""

    def answer_request(exchange: Exchange) -> Response:
        answered = services[exchange.service](exchange)
        is_cbor = speaks_cbor(exchange)
        return cbor_protocol.translated(exchange.service, exchange.operation, answered) if is_cbor else answered

    return answer_request


class Provider:
    """A service made of objects whose methods are its operations, named as in boto3: PutEvents is put_events."""

    def __init__(self, *groups: object, fallback: Service) -> None:
        self._operations = {name: operation for group in groups for name, operation in operations_of(group).items()}
        self._fallback = fallback

    @property
    def own_operations(self) -> Set[str]:
        """The operations that are not left to the fallback, by their methods' names."""
        return self._operations.keys()

    def supports(self, operation: str) -> bool:
        """Whether an operation is one of its own, or the fallback's."""
        return xform_name(operation) in self._operations or self._fallback.supports(operation)

    def __call__(self, exchange: Exchange) -> Response:
        """The answer of the operation that the call names."""
        operation = self._operations.get(xform_name(exchange.operation), self._fallback)
        answered = operation(exchange)
        if isinstance(answered, Response):
            return answered
        write = query_answer if is_form(exchange) else answer
        return write(exchange.service, exchange.operation, answered)


def operations_of(group: object) -> Mapping[str, Operation]:
    """The operations of an object: its public methods."""
    return {name: getattr(group, name) for name in dir(group) if not name.startswith("_")}
