"""predict: takes a picture, returns the endpoint's logits and the five best labels.

    {"url": "https://…" or "s3://…"}    or    {"image": base64}

The picture is fetched here, with protection against SSRF (predicting/), and not by the endpoint, which has no network.
The response has the fields of the course project, and `predictions`. A request that cannot be answered has a 4xx
status, and an endpoint that fails 424 or 5xx; the body gives the reason without anything internal to the account.

A cold start dominates the latency, so the endpoint is invoked without botocore's client, and S3, which needs one, is
imported only for requests that name it. Everything else is imported during initialization, when Lambda gives more CPU
and no request waits.
"""

from __future__ import annotations

import base64
import json
import os
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from typing import Any

from predicting import image_header, web_fetch
from predicting.endpoint import EndpointClient
from predicting.errors import RequestRefusedError, too_large_error
from predicting.runtime import Runtime

ENV_ENDPOINT_NAME = "ENDPOINT_NAME"
ENV_LOG_LEVEL = "LOG_LEVEL"
URL = "url"
IMAGE = "image"

MAX_BYTES = 6_291_456  # the limit of InvokeEndpoint
FETCH_SECONDS = 10.0
_MAX_CHARACTERS = MAX_BYTES // 3 * 4
_MAX_CAUSE = 1000
_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")

Response = dict[str, Any]
Fetch = Callable[[str], bytes]


def _to_stdout(line: str) -> None:
    sys.stdout.write(line)
    sys.stdout.flush()


@dataclass(frozen=True)
class PredictFunction:
    """The dependencies of the function: its endpoint, the fetchers by scheme, a log, a clock."""

    endpoint: EndpointClient
    fetchers: Mapping[str, Fetch]  # by scheme
    level: str = "INFO"
    write: Callable[[str], object] = _to_stdout
    clock: Callable[[], float] = time.monotonic


@dataclass(frozen=True)
class PredictRequest:
    """An event, its id in the log, and the remaining time of the invocation."""

    event: object
    identifier: str = ""
    seconds_left: Callable[[], float] = lambda: float("inf")


def handler(event: object, context: Any) -> Response:
    """Lambda's entry point."""
    if context is None:
        return respond(PredictRequest(event), create_function())
    remaining = context.get_remaining_time_in_millis
    return respond(PredictRequest(event, context.aws_request_id, lambda: float(remaining()) / 1000), create_function())


def respond(request: PredictRequest, function: PredictFunction) -> Response:
    """Returns the response to any request, and logs one line."""
    started, content_type = function.clock(), ""
    log_fields: dict[str, object] = {"message": "answered", "request": request.identifier}
    try:
        source, value = _parse_event(request.event)
        log_fields["source"] = source
        picture = _SOURCES[source](value, function)
        log_fields["bytes"] = len(picture)
        if len(picture) > MAX_BYTES:
            raise too_large_error("the picture", MAX_BYTES)
        content_type = image_header.content_type(picture)
        logits, predictions = function.endpoint.predict(picture, content_type, request.seconds_left)
        response = _response(HTTPStatus.OK, content_type, logits, predictions)
    except RequestRefusedError as error:
        log_fields["message"] = str(error)
        if error.__cause__:
            log_fields["cause"] = repr(error.__cause__)[:_MAX_CAUSE]
        response = _response(error.status, content_type, {"error": str(error)}, [])
    except Exception:  # noqa: BLE001 - AWS would send the traceback to the caller; it belongs in the log
        log_fields |= {"message": "failed", "traceback": traceback.format_exc()}
        response = _response(HTTPStatus.INTERNAL_SERVER_ERROR, content_type, {"error": "the function failed"}, [])
    log_fields |= {"status": response["statusCode"], "milliseconds": round((function.clock() - started) * 1000, 1)}
    _log(function, response["statusCode"], log_fields)
    return response


def _parse_event(event: object) -> tuple[str, str]:
    """Returns which field the picture comes in, and its value."""
    values = [(name, event[name]) for name in _SOURCES if name in event] if isinstance(event, dict) else []
    if len(values) != 1 or not isinstance(values[0][1], str):
        remedy = 'send {"url": address} or {"image": base64}, one of them, as text'
        raise RequestRefusedError(HTTPStatus.BAD_REQUEST, "the request is not valid", remedy)
    return values[0]


def _fetch(url: str, function: PredictFunction) -> bytes:
    scheme = url.partition("://")[0].lower()
    return function.fetchers.get(scheme, function.fetchers["https"])(url)


def _decode(text: str, _: PredictFunction) -> bytes:
    base64_text = text.replace("\n", "").replace("\r", "")
    if len(base64_text) > _MAX_CHARACTERS:
        raise too_large_error("the picture", MAX_BYTES)
    try:
        return base64.b64decode(base64_text, validate=True)
    except ValueError:
        raise RequestRefusedError(
            HTTPStatus.BAD_REQUEST, "image is not base64", "encode the bytes of the file"
        ) from None


_SOURCES: Mapping[str, Callable[[str, PredictFunction], bytes]] = {URL: _fetch, IMAGE: _decode}


def _response(status: HTTPStatus, content_type: str, result: object, predictions: list[Any]) -> Response:
    """Returns the fields of the course project; the field for the context has the content type of the picture."""
    body = json.dumps(result)
    return {
        "statusCode": int(status),
        "headers": {"Content-Type": "text/plain", "Access-Control-Allow-Origin": "*"},
        "type-result": str(type(body)),
        "COntent-Type-In": content_type,
        "body": body,
        "predictions": predictions,
    }


def _log(function: PredictFunction, status: int, log_fields: Mapping[str, object]) -> None:
    """Logs one line of JSON, without the picture and the address, as both can be secret."""
    is_our_fault = status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.FAILED_DEPENDENCY
    level = "ERROR" if is_our_fault else "WARNING" if status >= HTTPStatus.BAD_REQUEST else "INFO"
    minimum_level = function.level if function.level in _LEVELS else "INFO"
    if _LEVELS.index(level) >= _LEVELS.index(minimum_level):
        function.write(json.dumps({"level": level, "function": "predict", **log_fields}) + "\n")


@cache
def create_function() -> PredictFunction:
    """Creates the function from its environment, with everything that the first request would wait for."""
    web_fetch.system_trust()
    endpoint = EndpointClient(os.environ[ENV_ENDPOINT_NAME], Runtime(os.environ))
    fetchers = {"https": _fetch_from_web, "s3": _fetch_from_s3}
    return PredictFunction(endpoint, fetchers, os.environ.get(ENV_LOG_LEVEL, "INFO").upper())


def _fetch_from_web(url: str) -> bytes:
    return web_fetch.fetch(url, MAX_BYTES, FETCH_SECONDS)


def _fetch_from_s3(url: str) -> bytes:
    from predicting import s3_fetch

    return s3_fetch.fetch(url, MAX_BYTES, FETCH_SECONDS)


if ENV_ENDPOINT_NAME in os.environ:
    create_function()
