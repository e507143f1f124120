"""What `--verbose` shows: a line in the log for each call, with its service, operation, answer and time."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from typing import Any

from pedigree.localaws.http.chain import Application, Environ, StartResponse

_LOG = logging.getLogger("localaws.calls")


class Told:
    """Tells what is asked and how it was answered, and changes nothing about it."""

    def __init__(self, inside: Application) -> None:
        self._inside = inside

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """The answer."""
        begun, said = time.perf_counter(), [""]

        def started(status: str, headers: Any, *more: Any) -> Any:
            said[0] = status.partition(" ")[0]
            return start_response(status, headers, *more)

        answer = self._inside(environ, started)
        if "localaws.service" in environ:
            milliseconds = 1000 * (time.perf_counter() - begun)
            service, key = environ["localaws.service"], environ["localaws.key"]
            _LOG.info("%s %s: %s in %.1f ms, for %s", service, _operation(environ), said[0], milliseconds, key)
        return answer


def _operation(environ: Environ) -> str:
    """The operation by its name where the request has one, else by method and path."""
    target = str(environ.get("HTTP_X_AMZ_TARGET", "")).rpartition(".")[2]
    named = target or str(environ.get("localaws.operation", ""))
    return named or f"{environ['REQUEST_METHOD']} {environ.get('PATH_INFO', '/')}"
