"""Requests that need no signature: those from foreign pages, which are refused, and the question for health."""

from __future__ import annotations

from collections.abc import Callable

from werkzeug import Response

from pedigree.localaws.http.exchange import Exchange
from pedigree.localaws.http.protocol.errors import ServiceError

_OWN_NAMES = ("127.0.0.1", "localhost", "[::1]")
_HEALTH = "/_local/health"


def foreign_host_refuser(port: Callable[[], int]) -> Callable[[Exchange], None]:
    """Refuses requests whose Host is not this machine's own: a page that a browser has open may send them."""

    def refuse_foreign_hosts(exchange: Exchange) -> None:
        host = exchange.headers.get("host", "")
        if host not in [f"{name}:{port()}" for name in _OWN_NAMES]:
            words = f"{host} is not this machine; the local AWS answers on this machine only"
            raise ServiceError("ForeignHost", words, 403)

    return refuse_foreign_hosts


def answer_health(exchange: Exchange) -> Response | None:
    """Say that the daemon is ready."""
    if exchange.path != _HEALTH or "authorization" in exchange.headers:
        return None
    return Response('{"status": "ready"}', content_type="application/json")
