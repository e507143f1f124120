"""moto's responses as the service gives them: with the right content type, and closed to web pages."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from werkzeug import Response

_REST = "application/json"
# moto says in an error of the query protocol twice what is wrong, the second time in a member that AWS has not.
_SECOND_MESSAGE = re.compile(rb"(</Message>)<message>[^<]*</message>")
_CROSS_ORIGIN = ("Access-Control-Allow-Origin",)


def moto_response(application: Callable[[dict[str, Any], Any], Iterable[bytes]], environ: dict[str, Any]) -> Response:
    """What moto's application answers."""
    answer = Response.from_app(application, environ, buffered=True)
    if answer.get_data().startswith(b"{") and "json" not in (answer.content_type or ""):
        requested = str(environ.get("CONTENT_TYPE", ""))
        answer.content_type = requested if "x-amz-json" in requested else _REST
    if answer.status_code >= HTTPStatus.BAD_REQUEST and "xml" in (answer.content_type or ""):
        answer.set_data(_SECOND_MESSAGE.sub(rb"\1", answer.get_data()))
    for name in _CROSS_ORIGIN:
        answer.headers.pop(name, None)
    return answer
