"""InvokeEndpoint over HTTP: a body for a model, and what the model says, in SageMaker's headers and errors."""

from __future__ import annotations

import json
import re
import time
import uuid
from http import HTTPStatus

from werkzeug import Request, Response

from localaws.endpoints.endpoints import Endpoints
from localaws.protocol.errors import ServiceError
from localaws.scaling.metering import Meter

_PATH = re.compile(r"/endpoints/([^/]+)/invocations")
_LARGEST = 6 << 20
_PASSED_ON = ("Content-Type", "Accept", "X-Amzn-SageMaker-Custom-Attributes")


class Runtime:
    """The data plane of endpoints."""

    def __init__(self, endpoints: Endpoints, meter: Meter) -> None:
        self._endpoints = endpoints
        self._meter = meter

    def answer(self, request: Request) -> Response:
        """What an endpoint answers."""
        match = _PATH.fullmatch(request.path)
        try:
            if match is None or request.method != "POST":
                asked = f"{request.method} {request.path}"
                raise ServiceError("ValidationError", f"{asked} is no invocation of an endpoint")
            return self._invoked(match[1], request)
        except ServiceError as error:
            return _refusal(error.code, error.message, error.status)

    def _invoked(self, name: str, request: Request) -> Response:
        if (request.content_length or 0) > _LARGEST:
            raise ServiceError("ValidationError", f"The body has more than {_LARGEST} bytes", 413)
        headers = {key: request.headers[key] for key in _PASSED_ON if key in request.headers}
        if "X-Amzn-SageMaker-Accept" in request.headers:
            headers["Accept"] = request.headers["X-Amzn-SageMaker-Accept"]
        wanted = request.headers.get("X-Amzn-SageMaker-Target-Variant", "")
        begun = time.perf_counter()
        variant, reply = self._endpoints.invoke(name, request.get_data(), headers, wanted)
        overhead = time.perf_counter() - begun - reply.seconds
        self._meter.note(name, variant, reply.seconds, overhead, reply.status)
        if reply.status >= HTTPStatus.BAD_REQUEST:
            return _model_error(name, variant, reply.status, reply.content)
        told = {"x-Amzn-Invoked-Production-Variant": variant, "x-amzn-RequestId": str(uuid.uuid4())}
        return Response(reply.content, 200, told, content_type=reply.content_type)


def _model_error(name: str, variant: str, status: int, content: bytes) -> Response:
    kind = "server" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "client"
    said = content.decode(errors="replace")
    message = f'Received {kind} error ({status}) from primary with message "{said}".'
    body = {
        "ErrorCode": f"{kind.upper()}_ERROR_FROM_MODEL",
        "LogStreamArn": "",
        "Message": f"{message} See the log /aws/sagemaker/Endpoints/{name} ({variant}).",
        "OriginalMessage": said,
        "OriginalStatusCode": status,
    }
    return _response(body, HTTPStatus.FAILED_DEPENDENCY, "ModelError")


def _refusal(code: str, message: str, status: int) -> Response:
    return _response({"message": message, "Message": message}, status, code)


def _response(body: dict[str, object], status: int, code: str) -> Response:
    headers = {"x-amzn-errortype": code, "x-amzn-RequestId": str(uuid.uuid4())}
    return Response(json.dumps(body), status, headers, content_type="application/json")
