"""InvokeEndpoint over HTTP: a body for a model, and what the model says, in SageMaker's headers and errors."""

from __future__ import annotations

import json
import re
import time
import uuid
from http import HTTPStatus

from werkzeug import Request, Response

from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.services.sagemaker.endpoints.capture import Captures, Exchange
from pedigree.localaws.services.sagemaker.endpoints.endpoints import Endpoints
from pedigree.localaws.services.sagemaker.endpoints.instances import Reply
from pedigree.localaws.services.sagemaker.endpoints.metering import Meter

_PATH = re.compile(r"/endpoints/([^/]+)/([a-z-]+)")
_INVOKE = "invocations"
_UNSUPPORTED = {
    "async-invocations": "InvokeEndpointAsync",
    "invocations-response-stream": "InvokeEndpointWithResponseStream",
    "invocations-bidirectional-stream": "InvokeEndpointWithBidirectionalStream",
}
_LARGEST = 6 << 20
_PASSED_ON = ("Content-Type", "Accept", "X-Amzn-SageMaker-Custom-Attributes")
_ANY_TYPE = "application/octet-stream"


class Runtime:
    """The data plane of endpoints."""

    def __init__(self, endpoints: Endpoints, meter: Meter, captures: Captures) -> None:
        self._endpoints = endpoints
        self._meter = meter
        self._captures = captures

    def answer(self, request: Request) -> Response:
        """What an endpoint answers."""
        try:
            return self._invoked(_asked(request), request)
        except ServiceError as error:
            return _refusal(error.code, error.message, error.status)

    def _invoked(self, name: str, request: Request) -> Response:
        body = _body(request)
        headers = {key: request.headers[key] for key in _PASSED_ON if key in request.headers}
        if "X-Amzn-SageMaker-Accept" in request.headers:
            headers["Accept"] = request.headers["X-Amzn-SageMaker-Accept"]
        wanted = request.headers.get("X-Amzn-SageMaker-Target-Variant", "")
        begun = time.perf_counter()
        told = self._endpoints.invoke(name, body, headers, wanted)
        variant, reply = told.variant, told.reply
        overhead = time.perf_counter() - begun - reply.seconds
        self._meter.note(name, variant, reply.seconds, max(0.0, overhead), reply.status)
        if reply.status != HTTPStatus.OK:
            return _model_error(name, variant, reply.status, reply.content)
        if told.generation.capture:
            self._captures.note(told.generation.capture, name, variant, told.role, _exchange(request, body, reply))
        attributes = request.headers.get("X-Amzn-SageMaker-Custom-Attributes")
        said = {
            "x-Amzn-Invoked-Production-Variant": variant,
            "x-amzn-RequestId": str(uuid.uuid4()),
            **({"X-Amzn-SageMaker-Custom-Attributes": attributes} if attributes else {}),
        }
        return Response(reply.content, 200, said, content_type=reply.content_type or _ANY_TYPE)


def _asked(request: Request) -> str:
    """The endpoint that is to answer."""
    match = _PATH.fullmatch(request.path)
    if match and match[2] in _UNSUPPORTED:
        why = f"{_UNSUPPORTED[match[2]]} is not supported by the local AWS"
        raise ServiceError("UnknownOperationException", why)
    if match is None or match[2] != _INVOKE or request.method != "POST":
        raise ServiceError("ValidationError", f"{request.method} {request.path} is no invocation of an endpoint")
    return match[1]


def _body(request: Request) -> bytes:
    """What is asked, as far as SageMaker takes it."""
    content = b"" if (request.content_length or 0) > _LARGEST else request.stream.read(_LARGEST + 1)
    if (request.content_length or len(content)) > _LARGEST:
        raise ServiceError("ValidationError", f"HTTP content length exceeded {_LARGEST} bytes.", 413)
    return content


def _exchange(request: Request, body: bytes, reply: Reply) -> Exchange:
    asked = request.headers.get("Content-Type", _ANY_TYPE)
    inference = request.headers.get("X-Amzn-SageMaker-Inference-Id", "")
    attributes = request.headers.get("X-Amzn-SageMaker-Custom-Attributes", "")
    return Exchange(body, asked, reply.content, reply.content_type, inference, attributes)


def _model_error(name: str, variant: str, status: int, content: bytes) -> Response:
    is_client = HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR
    kind = "client" if is_client else "server"
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
