"""The way of every request from the socket to its service: a list of handlers, each with the reason for its place."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from werkzeug import Response

from pedigree.localaws.http.access_log import log_nothing, log_response
from pedigree.localaws.http.body import body_receiver, unpack_body
from pedigree.localaws.http.error_boundary import answer_error
from pedigree.localaws.http.exchange import Environ, Exchange
from pedigree.localaws.http.form_reader import form_reader
from pedigree.localaws.http.hosts import address_bucket, answer_health, foreign_request_refuser
from pedigree.localaws.http.parser import read_call, refuse_unreadable_url
from pedigree.localaws.http.request_body import BodyPendingError
from pedigree.localaws.http.service import Service, answerer, head_checker
from pedigree.localaws.http.signature import signature_reader
from pedigree.localaws.http.validation import validator

Handler: TypeAlias = Callable[[Exchange], Response | None]
"""Answers a request; or adds to the exchange and returns None, so that the next handler is called."""
Application: TypeAlias = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]
_EXCHANGE = "pedigree.exchange"


@dataclass(frozen=True)
class Chain:
    """Handlers in order: the first answer ends the chain. An exception becomes an answer."""

    handlers: Sequence[Handler]
    on_error: Callable[[Exchange, Exception], Response]
    on_response: Callable[[Exchange, Response, float], None]

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a request of WSGI; BodyPendingError to be called again with it when more of its body has come."""
        exchange: Exchange = environ.get(_EXCHANGE) or Exchange.of(environ)
        environ[_EXCHANGE] = exchange
        response = self.answer(exchange)
        with exchange.closing:
            return response(environ, start_response)

    def abandon(self, environ: Environ) -> None:
        """Remove what is kept of a request whose body does not come."""
        if _EXCHANGE in environ:
            environ[_EXCHANGE].closing.close()

    def answer(self, exchange: Exchange) -> Response:
        """The answer to a request."""
        try:
            response = self._handled(exchange)
        except BodyPendingError:
            raise
        except Exception as error:  # noqa: BLE001  # the boundary logs what it cannot answer for
            response = self.on_error(exchange, error)
        self.on_response(exchange, response, time.perf_counter() - exchange.begun)
        return response

    def _handled(self, exchange: Exchange) -> Response:
        for position in range(exchange.position, len(self.handlers)):
            exchange.position = position
            response = self.handlers[position](exchange)
            if response is not None:
                return response
        raise LookupError("no handler has answered")


def request_chain(
    services: Mapping[str, Service],
    identify: Handler,
    verify_body: Handler,
    authorize: Handler,
    *,
    region: str,
    port: Callable[[], int],
    spool_folder: Path,
    is_logged: bool = False,
) -> Chain:
    """All that happens to a request, in this order; large bodies are files in a folder while they come."""
    return Chain(
        (
            # Before anything else: a page that a browser has open must reach nothing here.
            foreign_request_refuser(port),
            # The process that starts the daemon calls this before it has any keys.
            answer_health,
            # From here on the service is known, and with it the form of every refusal.
            signature_reader(services, region),
            # After the signature was read, which covers the path as it came, and before anybody looks at the path.
            address_bucket,
            # Before any word of it is used: a name that cannot be read would become another name.
            refuse_unreadable_url,
            # A form has its signature, and what it says of its object, in its body: in bounded fields before the file.
            form_reader(region),
            # Before anything in the request is trusted, and before its body is received: whose key it is signed with.
            identify,
            # Requests whose head says all that is decided: an object that may not be written is not received.
            authorize,
            # As far as a service can tell from the head: neither is an object for a bucket that does not exist.
            head_checker(services),
            # Before anything is locked or looked up, so that a slow client blocks no other.
            body_receiver(spool_folder),
            # The body of all but S3's requests is signed as a whole: nothing of it is read before.
            verify_body,
            unpack_body,
            # Once: what is decided and what is done below is this call, and nothing else that the request may say.
            read_call,
            # All other requests. As on AWS before validation: a caller without permission learns nothing about the
            # request's members.
            authorize,
            # Before the service, which can rely on it: members are there, and of their types.
            validator(services),
            authorize,  # requests to STS, which AWS validates first
            answerer(services),
        ),
        on_error=answer_error,
        on_response=log_response if is_logged else log_nothing,
    )
