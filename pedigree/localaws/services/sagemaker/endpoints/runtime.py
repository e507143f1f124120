"""SageMaker's data plane: sends a body to a model, and returns its answer with SageMaker's headers and errors."""

from __future__ import annotations

import datetime as dt
import time
import uuid
from collections.abc import Callable, Mapping
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
from pedigree.localaws.services.sagemaker.endpoints.event_stream import CONTENT_TYPE as EVENT_STREAM
from pedigree.localaws.services.sagemaker.endpoints.event_stream import PayloadParts
from pedigree.localaws.services.sagemaker.endpoints.generation import Generation, Variant
from pedigree.localaws.services.sagemaker.endpoints.metering import Meter
from pedigree.localaws.services.sagemaker.endpoints.model_errors import model_error
from pedigree.localaws.services.sagemaker.endpoints.multi_model import TARGET_MODEL
from pedigree.localaws.services.sagemaker.endpoints.server_reply import Reply

_INVOKE, _ASYNC, _STREAM = "InvokeEndpoint", "InvokeEndpointAsync", "InvokeEndpointWithResponseStream"
_OPERATIONS = (_INVOKE, _ASYNC, _STREAM)
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
        return self._stream(exchange) if exchange.operation == _STREAM else self._invoke(exchange)

    def _invoke(self, exchange: Exchange) -> Response:
        name = exchange.members["EndpointName"]
        begun = time.perf_counter()
        passed_on = _passed_on(exchange)
        invoked = self._endpoints.invoke(name, exchange.body, passed_on, *_chosen(exchange))
        self._mirror(exchange, passed_on, invoked.generation)
        variant, reply = invoked.variant, invoked.reply
        overhead = time.perf_counter() - begun - reply.seconds
        self._meter.note(name, variant, reply.seconds, max(0.0, overhead), reply.status)
        if reply.status != HTTPStatus.OK:
            return model_error(name, exchange.region, self._endpoints.account, reply)
        capture = invoked.generation.capture
        if capture:
            self._captures.note(capture, name, variant, invoked.role, _captured(exchange, reply))
        return _answer(exchange, variant, reply)

    def _mirror(self, exchange: Exchange, headers: Mapping[str, str], generation: Generation) -> None:
        """Send shadow variants a copy of a request; their answers are counted and captured."""
        if not generation.shadows:
            return
        name, capture = exchange.members["EndpointName"], generation.capture

        def note(shadow: Variant, reply: Reply) -> None:
            self._meter.note(name, shadow.name, reply.seconds, 0.0, reply.status)
            if capture and reply.status == HTTPStatus.OK:
                self._captures.note(capture, name, shadow.name, shadow.role, _captured(exchange, reply))

        generation.mirror(exchange.body, headers, note)

    def _stream(self, exchange: Exchange) -> Response:
        """What an endpoint's model answers, piece by piece as it comes."""
        name, begun = exchange.members["EndpointName"], time.perf_counter()
        variant, reply = self._endpoints.stream(name, exchange.body, _passed_on(exchange), *_chosen(exchange))

        def over() -> None:
            self._meter.note(name, variant, time.perf_counter() - begun, 0.0, reply.status)

        reply.stream.when_over(over)
        if reply.status != HTTPStatus.OK:
            return model_error(name, exchange.region, self._endpoints.account, reply.whole())
        headers = {**_headers(exchange, variant), "X-Amzn-SageMaker-Content-Type": reply.content_type or _ANY_TYPE}
        return Response(PayloadParts(reply.stream), 200, headers, content_type=EVENT_STREAM)

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


def _passed_on(exchange: Exchange) -> Mapping[str, str]:
    """The headers that a model gets."""
    headers = exchange.headers
    passed_on = {word: headers[key] for key, word in _PASSED_ON.items() if key in headers}
    accept = headers.get("x-amzn-sagemaker-accept")
    model = exchange.members.get("TargetModel")
    named = {TARGET_MODEL: model} if model else {}
    return {**passed_on, **named, "Accept": accept} if accept else {**passed_on, **named}


def _chosen(exchange: Exchange) -> tuple[str, str]:
    """The variant and the container that a request names."""
    return exchange.members.get("TargetVariant", ""), exchange.members.get("TargetContainerHostname", "")


def _answer(exchange: Exchange, variant: str, reply: Reply) -> Response:
    headers = _headers(exchange, variant)
    return Response(reply.content, 200, headers, content_type=reply.content_type or _ANY_TYPE)


def _headers(exchange: Exchange, variant: str) -> dict[str, str]:
    headers = {"x-Amzn-Invoked-Production-Variant": variant, "x-amzn-RequestId": str(uuid.uuid4())}
    if _ATTRIBUTES in exchange.headers:
        headers[_PASSED_ON[_ATTRIBUTES]] = exchange.headers[_ATTRIBUTES]
    return headers


def _captured(exchange: Exchange, reply: Reply) -> Captured:
    headers = exchange.headers
    content_type, inference = headers.get("content-type", _ANY_TYPE), headers.get("x-amzn-sagemaker-inference-id", "")
    attributes = headers.get(_ATTRIBUTES, "")
    return Captured(exchange.body, content_type, reply.content, reply.content_type, inference, attributes)
