"""What the services of this package read and answer over HTTP, in either of AWS's two JSON protocols."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any

from werkzeug import Response

from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.http.chain import Environ

REST, RPC = "application/json", "application/x-amz-json-1.1"
_FIRST_SERVER_FAULT = 500


def read(environ: Environ, most: int) -> bytes:
    """The body of a request, which is no larger than that."""
    length = int(environ.get("CONTENT_LENGTH") or 0)
    if length > most:
        raise ServiceError("RequestEntityTooLargeException", f"The request is larger than {most} bytes", 413)
    body: bytes = environ["wsgi.input"].read(length)
    return body


def reply(
    body: Mapping[str, Any] | bytes,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    request_id: str = "",
    kind: str = REST,
) -> Response:
    """An answer."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    told = {"x-amzn-RequestId": request_id or str(uuid.uuid4()), **(headers or {})}
    return Response(content, status, told, content_type=kind)


def refused(
    error: ServiceError,
    more: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    kind: str = REST,
) -> Response:
    """An answer that is an error; its type is told in the header and, for one of the protocols, in the body."""
    fault = "User" if error.status < _FIRST_SERVER_FAULT else "Service"
    body = {"__type": error.code, "message": error.message, "Message": error.message, "Type": fault, **(more or {})}
    return reply(body, error.status, {"x-amzn-errortype": error.code, **(headers or {})}, kind=kind)
