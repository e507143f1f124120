"""Turns errors into answers: for any failure, the client gets an error in its service's form.

A request that cannot be read is refused. A bug becomes AWS's InternalFailure, with the traceback in the log.
"""

from __future__ import annotations

import logging

from werkzeug import Response
from werkzeug.exceptions import HTTPException

from pedigree.localaws.http.exchange import Exchange
from pedigree.localaws.http.parser import is_form, speaks_cbor
from pedigree.localaws.http.payload import IncompleteBodyError
from pedigree.localaws.http.protocol.absent_services import QUERY, protocol_of
from pedigree.localaws.http.protocol.cbor_protocol import translated
from pedigree.localaws.http.protocol.error_forms import error_response
from pedigree.localaws.http.protocol.errors import ServiceError

_LOG = logging.getLogger(__name__)
# After these the rest of what was sent is not read.
_OF_TWO_PROTOCOLS = ("monitoring", "sqs")
_CLOSING = ("IncompleteBody", "RequestTimeout", "ForeignHost", "MissingAuthenticationToken", "UnknownService")


def answer_error(exchange: Exchange, error: Exception) -> Response:
    """What a client is answered instead."""
    refusal = _refusal(exchange, error)
    scope = exchange.scope.service if exchange.scope else ""
    form = _form(exchange) or protocol_of(scope, exchange.headers)
    answer = error_response(form, refusal, exchange.path)
    if refusal.code in _CLOSING:
        answer.headers["Connection"] = "close"
    if exchange.method == "HEAD":
        answer.set_data(b"")
    return translated(exchange.service, "", answer) if speaks_cbor(exchange) else answer


def _form(exchange: Exchange) -> str:
    """The service, or its older protocol where a request speaks that; empty where neither is known."""
    return QUERY if exchange.service in _OF_TWO_PROTOCOLS and is_form(exchange) else exchange.service


def _refusal(exchange: Exchange, error: Exception) -> ServiceError:
    if isinstance(error, ServiceError):
        return error
    if isinstance(error, HTTPException):
        return ServiceError("InvalidRequest", f"The request cannot be read: {error.description}")
    if isinstance(error, TimeoutError):
        return IncompleteBodyError("did not come in time", "RequestTimeout", 400)
    what = exchange.operation or f"{exchange.method} {exchange.path}"
    _LOG.error("%s of %s", what, exchange.service, exc_info=error)
    return ServiceError("InternalFailure", f"{what} failed inside the local AWS; its log says more", 500)
