"""Which service a request is for, and that it comes from this machine.

boto3 says the service in the scope of its signature. A request whose Host is not this machine's own comes from a page
that somebody's browser has open, and is refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from werkzeug import Request, Response

StartResponse: TypeAlias = Callable[..., Any]
Environ: TypeAlias = dict[str, Any]
Application: TypeAlias = Callable[[Environ, StartResponse], Iterable[bytes]]
_SCOPE = re.compile(r"Credential=([^/,\s]+)/\d{8}/([^/,\s]+)/([^/,\s]+)/aws4_request")
_OWN = ("127.0.0.1", "localhost", "[::1]")


class Router:
    """Hands each request to its service."""

    def __init__(self, services: Mapping[str, Application], port: Callable[[], int]) -> None:
        self._services = services
        self._port = port

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """The answer of the service that is asked."""
        return self._chosen(environ)(environ, start_response)

    def _chosen(self, environ: Environ) -> Application:
        host = environ.get("HTTP_HOST", "")
        if host not in [f"{own}:{self._port()}" for own in _OWN]:
            return _refusal(403, "ForeignHost", f"{host} is not this machine; the local AWS answers nobody else")
        scope = _SCOPE.search(environ.get("HTTP_AUTHORIZATION", ""))
        if scope is None and environ["PATH_INFO"] == "/_local/health":
            return Response('{"status": "ready"}', content_type="application/json")
        if scope is None:
            return _refusal(403, "MissingAuthenticationToken", "Request is missing Authentication Token")
        environ["localaws.key"], environ["localaws.region"], environ["localaws.service"] = scope.groups()
        service = self._services.get(scope[3])
        return service or _refusal(400, "UnknownService", f"The local AWS has no service {scope[3]}")


def application(answer: Callable[[Request], Response]) -> Application:
    """A service that answers requests, as an application."""

    def answered(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        return answer(Request(environ))(environ, start_response)

    return answered


def _refusal(status: int, code: str, message: str) -> Application:
    body = json.dumps({"__type": code, "message": message})
    headers = {"x-amzn-errortype": code, "Connection": "close"}  # nobody reads the body
    return Response(body, status, headers, content_type="application/x-amz-json-1.1")
