"""SageMaker's data plane: sends a body to a model, and returns its answer with SageMaker's headers and errors."""

from __future__ import annotations

import datetime as dt
import time
import uuid
from collections.abc import Callable
from http import HTTPStatus

from werkzeug import Response

from pedigree.localaws.http.exchange import Exchange
from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.http.protocol.serializer import json_response
from pedigree.localaws.services.sagemaker.endpoints.async_invocation import async_invocation
from pedigree.localaws.services.sagemaker.endpoints.async_queue import AsyncQueue
from pedigree.localaws.services.sagemaker.endpoints.capture import CapturedInvocation as Captured
from pedigree.localaws.services.sagemaker.endpoints.capture import Captures
from pedigree.localaws.services.sagemaker.endpoints.endpoints import Endpoints
from pedigree.localaws.services.sagemaker.endpoints.metering import Meter
from pedigree.localaws.services.sagemaker.endpoints.model_errors import model_error
from pedigree.localaws.services.sagemaker.endpoints.server_process import Reply

_INVOKE, _ASYNC = "InvokeEndpoint", "InvokeEndpointAsync"
_OPERATIONS = (_INVOKE, _ASYNC)
_LARGEST = 6 << 20
_ATTRIBUTES = "x-amzn-sagemaker-custom-attributes"
_PASSED_ON = {"content-type": "Content-Type", "accept": "Accept", _ATTRIBUTES: "X-Amzn-SageMaker-Custom-Attributes"}
_ANY_TYPE = "application/octet-stream"


class DataPlane:
    """Calls of endpoints."""

    def __init__(
        self,
        endpoints: Endpoints,
        meter: Meter,
        captures: Captures,
        queue: AsyncQueue,
        now: Callable[[], dt.datetime],
    ) -> None:
        self._endpoints = endpoints
        self._meter = meter
        self._captures = captures
        self._queue = queue
        self._now = now

    def supports(self, operation: str) -> bool:
        """Whether it can do an operation."""
        return operation in _OPERATIONS

    def __call__(self, exchange: Exchange) -> Response:
        """What an endpoint's model answers, or where it will answer."""
        if exchange.operation == _ASYNC:
            return self._accept(exchange)
        if len(exchange.body) > _LARGEST:
            raise ServiceError("ValidationError", f"HTTP content length exceeded {_LARGEST} bytes.", 413)
        if self._endpoints.asynchronous(exchange.members["EndpointName"]):
            raise _not_for(exchange, f"is asynchronous; use {_ASYNC}")
        return self._invoke(exchange)

    def _invoke(self, exchange: Exchange) -> Response:
        name, headers = exchange.members["EndpointName"], exchange.headers
        passed_on = {word: headers[key] for key, word in _PASSED_ON.items() if key in headers}
        if "x-amzn-sagemaker-accept" in headers:
            passed_on["Accept"] = headers["x-amzn-sagemaker-accept"]
        begun = time.perf_counter()
        chosen = (exchange.members.get(member, "") for member in ("TargetVariant", "TargetContainerHostname"))
        invoked = self._endpoints.invoke(name, exchange.body, passed_on, *chosen)
        variant, reply = invoked.variant, invoked.reply
        overhead = time.perf_counter() - begun - reply.seconds
        self._meter.note(name, variant, reply.seconds, max(0.0, overhead), reply.status)
        if reply.status != HTTPStatus.OK:
            return model_error(name, exchange.region, self._endpoints.account, reply)
        capture = invoked.generation.capture
        if capture:
            self._captures.note(capture, name, variant, invoked.role, _captured(exchange, reply))
        return _answer(exchange, variant, reply)

    def _accept(self, exchange: Exchange) -> Response:
        """Keep an asynchronous invocation, and say where its answer will be."""
        config = self._endpoints.asynchronous(exchange.members["EndpointName"])
        if not config:
            raise _not_for(exchange, "has no AsyncInferenceConfig; use InvokeEndpoint")
        invocation = async_invocation(exchange.members, exchange.body, config, self._now())
        self._queue.add(invocation)
        locations = {"OutputLocation": invocation.output, "FailureLocation": invocation.failure}
        headers = {f"X-Amzn-SageMaker-{name}": address for name, address in locations.items() if address}
        return json_response({"InferenceId": invocation.inference_id}, HTTPStatus.ACCEPTED, headers)


def _not_for(exchange: Exchange, why: str) -> ServiceError:
    return ServiceError("ValidationError", f"Endpoint {exchange.members['EndpointName']} {why}.")


def _answer(exchange: Exchange, variant: str, reply: Reply) -> Response:
    headers = {"x-Amzn-Invoked-Production-Variant": variant, "x-amzn-RequestId": str(uuid.uuid4())}
    if _ATTRIBUTES in exchange.headers:
        headers[_PASSED_ON[_ATTRIBUTES]] = exchange.headers[_ATTRIBUTES]
    return Response(reply.content, 200, headers, content_type=reply.content_type or _ANY_TYPE)


def _captured(exchange: Exchange, reply: Reply) -> Captured:
    headers = exchange.headers
    content_type, inference = headers.get("content-type", _ANY_TYPE), headers.get("x-amzn-sagemaker-inference-id", "")
    attributes = headers.get(_ATTRIBUTES, "")
    return Captured(exchange.body, content_type, reply.content, reply.content_type, inference, attributes)
