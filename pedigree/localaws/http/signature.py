"""What a request is signed for: the access key, the region and the service, from the signature's credential scope."""

from __future__ import annotations

import re
from collections.abc import Callable, Container

from pedigree.localaws.http.exchange import Exchange, Scope
from pedigree.localaws.http.protocol.errors import ServiceError

_SCOPE = re.compile(r"Credential=([^/,\s]+)/\d{8}/([^/,\s]+)/([^/,\s]+)/aws4_request")


def scope_reader(services: Container[str]) -> Callable[[Exchange], None]:
    """Reads the scope; ServiceError if there is none, or none of these services."""

    def read_scope(exchange: Exchange) -> None:
        match = _SCOPE.search(exchange.headers.get("authorization", ""))
        if match is None:
            raise ServiceError("MissingAuthenticationToken", "Request is missing Authentication Token", 403)
        exchange.scope = Scope(*match.groups())
        if exchange.scope.service not in services:
            raise ServiceError("UnknownService", f"The local AWS has no service {exchange.scope.service}")
        exchange.service = _plane(exchange, exchange.scope.service)

    return read_scope


def _plane(exchange: Exchange, service: str) -> str:
    """SageMaker's two planes sign alike, and only one of them names its operations in a header."""
    is_data_plane = service == "sagemaker" and "x-amz-target" not in exchange.headers
    return "sagemaker-runtime" if is_data_plane else service
