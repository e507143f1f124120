"""Reads the call in a request, by the protocol that its service speaks.

A request that could be read in two ways is refused: authorization could read it in one way, and the service in the
other.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from pedigree.localaws.http.exchange import Exchange
from pedigree.localaws.http.protocol import cbor_protocol, query_protocol, rest_protocol, urls
from pedigree.localaws.http.protocol.call import Call
from pedigree.localaws.http.protocol.errors import InvalidRequestError
from pedigree.localaws.http.protocol.json_documents import document
from pedigree.localaws.http.protocol.models import MODELS, REST, input_shape

_MOST_FIELDS = 20_000
TARGET = "x-amz-target"
_ONLY_QUERY = ("iam", "sts", "ec2")
_QUERY = (*_ONLY_QUERY, "sqs", "monitoring")


def read_call(exchange: Exchange) -> None:
    """Read the call; it stays None where the request names no operation, as those of S3."""
    if exchange.service in REST:
        _refuse_two_operations(exchange, {}, most=0)
        exchange.call = _rest_call(exchange)
    elif exchange.service in MODELS:
        if speaks_cbor(exchange):
            _read_cbor(exchange)
        pairs = _form(exchange) if is_form(exchange) else []
        _refuse_two_operations(exchange, dict(pairs), most=1)
        _refuse_repetitions(exchange, pairs)
        exchange.call = _query_call(exchange, dict(pairs)) or _json_call(exchange)


def refuse_unreadable_url(exchange: Exchange) -> None:
    """Refuse a request whose path or query is no UTF-8."""
    urls.decoded(exchange.raw_path)
    urls.check_query(exchange.raw_query)


def is_form(exchange: Exchange) -> bool:
    """Whether a request speaks the query protocol, flat text only."""
    return exchange.service in _QUERY and not exchange.headers.get(TARGET) and not speaks_cbor(exchange)


def speaks_cbor(exchange: Exchange) -> bool:
    """Whether a request speaks CBOR."""
    return cbor_protocol.is_cbor(exchange.service, exchange.headers)


def _read_cbor(exchange: Exchange) -> None:
    """Make of a request in CBOR the same request in JSON, which all that follows reads."""
    target = cbor_protocol.target(exchange.service, exchange.raw_path)
    if target is None or TARGET in exchange.headers:
        raise InvalidRequestError("The path of a request in CBOR names its operation, and nothing else does")
    exchange.body = json.dumps(cbor_protocol.members(exchange.body)).encode()
    exchange.headers = {**exchange.headers, TARGET: target}
    exchange.environ = {**exchange.environ, "HTTP_X_AMZ_TARGET": target}
    exchange.raw_path = "/"
    vars(exchange).pop("path", None)  # it was decoded from the other one


def _refuse_two_operations(exchange: Exchange, form: Mapping[str, str], most: int) -> None:
    if sum((bool(exchange.headers.get(TARGET)), "Action" in exchange.query, "Action" in form)) > most:
        raise InvalidRequestError("The request names its operation twice")


def _form(exchange: Exchange) -> list[tuple[str, str]]:
    try:
        return parse_qsl(exchange.body.decode(errors="replace"), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise InvalidRequestError(f"The request has more than {_MOST_FIELDS} parameters") from None


def _refuse_repetitions(exchange: Exchange, pairs: Iterable[tuple[str, str]]) -> None:
    """Of several values of one parameter moto takes the first; others take the last."""
    names = [*(name for name, _ in pairs), *(name for name, values in exchange.query.items() for _ in values)]
    if len(names) > len(set(names)):
        raise InvalidRequestError("The request has several values of one parameter")


def _query_call(exchange: Exchange, form: Mapping[str, str]) -> Call | None:
    flat = {**exchange.args, **form}
    action = flat.get("Action", "")
    if not action or exchange.service not in _QUERY:
        return None
    shape = input_shape(MODELS[exchange.service], action)
    return _call(exchange, action, query_protocol.members(shape, flat, is_ec2=exchange.service == "ec2"))


def _json_call(exchange: Exchange) -> Call | None:
    target = exchange.headers.get(TARGET)
    if not target or exchange.service in _ONLY_QUERY:
        return None
    return _call(exchange, target.rpartition(".")[2], document(exchange.body))


def _rest_call(exchange: Exchange) -> Call | None:
    name = MODELS[exchange.service]
    match = rest_protocol.match(name, exchange.method, exchange.raw_path, exchange.query)
    if match is None:
        return None
    operation, labels = match
    shape = input_shape(name, operation)
    content = {} if shape is None or rest_protocol.has_payload(shape) else document(exchange.body)
    members = rest_protocol.members(name, operation, labels, exchange.query, exchange.headers, content)
    return _call(exchange, operation, members)


def _call(exchange: Exchange, operation: str, members: Mapping[str, Any]) -> Call:
    return Call(exchange.service, operation, members, exchange.region)
