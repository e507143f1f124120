"""predict: a picture in, the endpoint's logits and the five best labels out.

    {"url": "https://…" or "s3://…"}    or    {"image": base64}

The picture is fetched here, guarded (predicting/), and not by the endpoint, which has no network to be led astray in.
The answer has the fields of the course project, and `predictions`. A request that cannot be answered has a 4xx status,
an endpoint that fails 424 or 5xx; the body says why, with nothing in it that only the account should know.

Coming up takes longest, so the endpoint is asked without botocore's client, and S3, which needs one, is imported when a
request names it. What every other request needs is there before the first one: while AWS sets a function up, the
processor is fast and nobody waits.
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
from predicting.endpoint import Endpoint
from predicting.errors import Refused, too_large
from predicting.runtime import Runtime

ENV_ENDPOINT_NAME = "ENDPOINT_NAME"
ENV_LOG_LEVEL = "LOG_LEVEL"
URL = "url"
IMAGE = "image"

MOST_BYTES = 6_291_456  # what InvokeEndpoint takes
FETCH_SECONDS = 10.0
_MOST_CHARACTERS = MOST_BYTES // 3 * 4
_MOST_OF_A_CAUSE = 1000
_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")

Answer = dict[str, Any]
Fetch = Callable[[str], bytes]


def _to_stdout(line: str) -> None:
    sys.stdout.write(line)
    sys.stdout.flush()


@dataclass(frozen=True)
class Function:
    """What the function reaches: its endpoint, whoever brings pictures, a log, a clock."""

    endpoint: Endpoint
    fetches: Mapping[str, Fetch]  # by scheme
    level: str = "INFO"
    write: Callable[[str], object] = _to_stdout
    clock: Callable[[], float] = time.monotonic


@dataclass(frozen=True)
class Request:
    """An event, who it is in the log, and how long AWS will wait."""

    event: object
    identifier: str = ""
    seconds_left: Callable[[], float] = lambda: float("inf")


def handler(event: object, context: Any) -> Answer:
    """What AWS calls."""
    if context is None:
        return respond(Request(event), deployed())
    left = context.get_remaining_time_in_millis
    return respond(Request(event, context.aws_request_id, lambda: float(left()) / 1000), deployed())


def respond(request: Request, function: Function) -> Answer:
    """The answer to a request, whatever becomes of it, and one line in the log."""
    began, content_type = function.clock(), ""
    told: dict[str, object] = {"message": "answered", "request": request.identifier}
    try:
        source, value = _asked_for(request.event)
        told["source"] = source
        picture = _SOURCES[source](value, function)
        told["bytes"] = len(picture)
        if len(picture) > MOST_BYTES:
            raise too_large("the picture", MOST_BYTES)
        content_type = image_header.kind(picture)
        logits, predictions = function.endpoint.ask(picture, content_type, request.seconds_left)
        answer = _answer(HTTPStatus.OK, content_type, logits, predictions)
    except Refused as refused:
        told["message"] = str(refused)
        if refused.__cause__:
            told["cause"] = repr(refused.__cause__)[:_MOST_OF_A_CAUSE]
        answer = _answer(refused.status, content_type, {"error": str(refused)}, [])
    except Exception:  # noqa: BLE001 - AWS would hand the traceback to the caller; it belongs into the log
        told |= {"message": "failed", "traceback": traceback.format_exc()}
        answer = _answer(HTTPStatus.INTERNAL_SERVER_ERROR, content_type, {"error": "the function failed"}, [])
    told |= {"status": answer["statusCode"], "milliseconds": round((function.clock() - began) * 1000, 1)}
    _log(function, answer["statusCode"], told)
    return answer


def _asked_for(event: object) -> tuple[str, str]:
    """What the picture is sent as, and what was sent."""
    sent = [(name, event[name]) for name in _SOURCES if name in event] if isinstance(event, dict) else []
    if len(sent) != 1 or not isinstance(sent[0][1], str):
        message = 'the request is not understood; send {"url": address} or {"image": base64}, one of them, as text'
        raise Refused(HTTPStatus.BAD_REQUEST, message)
    return sent[0]


def _fetched(url: str, function: Function) -> bytes:
    scheme = url.partition("://")[0].lower()
    return function.fetches.get(scheme, function.fetches["https"])(url)


def _decoded(text: str, _: Function) -> bytes:
    plain = text.replace("\n", "").replace("\r", "")
    if len(plain) > _MOST_CHARACTERS:
        raise too_large("the picture", MOST_BYTES)
    try:
        return base64.b64decode(plain, validate=True)
    except ValueError:
        raise Refused(HTTPStatus.BAD_REQUEST, "image is no base64; encode the bytes of the file") from None


_SOURCES: Mapping[str, Callable[[str, Function], bytes]] = {URL: _fetched, IMAGE: _decoded}


def _answer(status: HTTPStatus, content_type: str, result: object, predictions: list[Any]) -> Answer:
    """The fields of the course project; what was the context there is the content type of what came in."""
    body = json.dumps(result)
    return {
        "statusCode": int(status),
        "headers": {"Content-Type": "text/plain", "Access-Control-Allow-Origin": "*"},
        "type-result": str(type(body)),
        "COntent-Type-In": content_type,
        "body": body,
        "predictions": predictions,
    }


def _log(function: Function, status: int, told: Mapping[str, object]) -> None:
    """One line of JSON, without the picture and without the address: both can be secret."""
    ours = status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.FAILED_DEPENDENCY
    level = "ERROR" if ours else "WARNING" if status >= HTTPStatus.BAD_REQUEST else "INFO"
    wanted = function.level if function.level in _LEVELS else "INFO"
    if _LEVELS.index(level) >= _LEVELS.index(wanted):
        function.write(json.dumps({"level": level, "function": "predict", **told}) + "\n")


@cache
def deployed() -> Function:
    """The function as its environment says, with all at hand that its first request would wait for."""
    web_fetch.trusted()
    endpoint = Endpoint(os.environ[ENV_ENDPOINT_NAME], Runtime(os.environ))
    fetches = {"https": _from_web, "s3": _from_bucket}
    return Function(endpoint, fetches, os.environ.get(ENV_LOG_LEVEL, "INFO").upper())


def _from_web(url: str) -> bytes:
    return web_fetch.fetch(url, MOST_BYTES, FETCH_SECONDS)


def _from_bucket(url: str) -> bytes:
    from predicting import s3_fetch

    return s3_fetch.fetch(url, MOST_BYTES, FETCH_SECONDS)


if ENV_ENDPOINT_NAME in os.environ:
    deployed()
