"""The request that moto gets: only what was read from it.

moto looks for the operation in headers, query and body, and takes the first that it finds. So it gets
only what was authorized: the protocol's own headers, those that the operation has members for, and the body.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from functools import cache
from typing import Any
from urllib.parse import urlencode

from pedigree.localaws.http.exchange import Environ, Exchange
from pedigree.localaws.http.parser import is_form
from pedigree.localaws.http.protocol import rest_protocol
from pedigree.localaws.http.protocol.models import MODELS, REST, input_shape
from pedigree.localaws.http.protocol.serializer import content_type

_PROTOCOL_HEADERS = frozenset(
    f"HTTP_{name}"
    for name in ("HOST", "AUTHORIZATION", "X_AMZ_TARGET", "X_AMZ_DATE", "X_AMZ_SECURITY_TOKEN", "X_AMZN_QUERY_MODE")
)
_FORM = "application/x-www-form-urlencoded"


def environ_for(exchange: Exchange) -> Environ:
    """The environ of a request that was read and validated."""
    headers = _PROTOCOL_HEADERS | _member_headers(exchange.service, exchange.operation)
    environ = {
        name: value for name, value in exchange.environ.items() if not name.startswith("HTTP_") or name in headers
    }
    body = exchange.body
    if not is_form(exchange) and not _is_payload(exchange.service, exchange.operation):
        # moto takes a body for a form as well, if there is no query: let there be nothing in it that parts one.
        body = body.replace(b"&", b"\\u0026")
    return {
        **environ,
        **_url(exchange),
        **_operation_headers(exchange),
        "wsgi.input": io.BytesIO(body),
        "CONTENT_LENGTH": str(len(body)),
    }


def _url(exchange: Exchange) -> Mapping[str, str]:
    """The path and the query, written anew from what was read.

    moto decodes the labels of a path itself, so the path keeps its percent-encodings.
    """
    path = exchange.raw_path
    if exchange.service in REST:
        path = rest_protocol.raw_path(MODELS[exchange.service], exchange.operation, exchange.members)
    query = urlencode(exchange.query, doseq=True)
    return {"PATH_INFO": path, "RAW_URI": path, "REQUEST_URI": path, "QUERY_STRING": query}


def _operation_headers(exchange: Exchange) -> Mapping[str, str]:
    """The header or parameter that names the operation in the request's protocol."""
    if exchange.service in REST:
        return {}
    if is_form(exchange):
        return {"CONTENT_TYPE": _FORM}
    return {"CONTENT_TYPE": content_type(exchange.service), "QUERY_STRING": ""}


@cache
def _member_headers(service: str, operation: str) -> frozenset[str]:
    """The headers that are members of a request."""
    shape: Any = input_shape(MODELS[service], operation)
    members = [member.serialization for member in shape.members.values()] if shape is not None else []
    names = [member["name"] for member in members if member.get("location") == "header"]
    return frozenset(f"HTTP_{name.upper().replace('-', '_')}" for name in names)


@cache
def _is_payload(service: str, operation: str) -> bool:
    """Whether the body as a whole is a member, which is passed on unchanged."""
    shape: Any = input_shape(MODELS[service], operation)
    return service in REST and shape is not None and rest_protocol.has_payload(shape)
