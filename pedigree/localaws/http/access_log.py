"""What `--verbose` shows: a line in the log for each call, with its service, operation, answer and time."""

from __future__ import annotations

import logging

from werkzeug import Response

from pedigree.localaws.http.exchange import Exchange

_LOG = logging.getLogger("localaws.calls")


def log_response(exchange: Exchange, response: Response, seconds: float) -> None:
    """Log a request that was signed, and how it was answered."""
    if exchange.scope is not None:
        what = exchange.operation or f"{exchange.method} {exchange.path}"
        answered = f"{response.status_code} in {1000 * seconds:.1f} ms"
        _LOG.info("%s %s: %s, for %s", exchange.service, what, answered, exchange.scope.key)


def log_nothing(_exchange: Exchange, _response: Response, _seconds: float) -> None:
    """What is done with calls unless they are logged."""
