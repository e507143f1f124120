"""moto's answers as a service gives them: said to be what they are, and for no web page to read."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from werkzeug import Response

_REST = "application/json"
_FOREIGN = ("Access-Control-Allow-Origin",)


def told(application: Callable[[dict[str, Any], Any], Iterable[bytes]], environ: dict[str, Any]) -> Response:
    """What moto answers."""
    answer = Response.from_app(application, environ, buffered=True)
    if answer.get_data().startswith(b"{") and "json" not in (answer.content_type or ""):
        requested = str(environ.get("CONTENT_TYPE", ""))
        answer.content_type = requested if "x-amz-json" in requested else _REST
    for name in _FOREIGN:
        answer.headers.pop(name, None)
    return answer
