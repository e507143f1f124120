"""Invokes the endpoint with one picture, and translates its errors.

The endpoint's errors name accounts, addresses and containers, so callers get our own message; the original error goes
to the log as the cause.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, ReadTimeoutError
from botocore.exceptions import ConnectionError as NoConnectionError

from predicting.errors import RequestRefusedError
from predicting.runtime import ANSWER_SECONDS, CONNECT_SECONDS

LOGITS = "logits"
PREDICTIONS = "predictions"
RETRY_PAUSES = (0.1, 0.3)

_RETRY_LATER = "try again in a minute"
_ERRORS: Mapping[str, tuple[HTTPStatus, str, str]] = {
    "AccessDeniedException": (HTTPStatus.BAD_GATEWAY, "the function may not invoke its endpoint", "fix its role"),
    "ModelError": (HTTPStatus.FAILED_DEPENDENCY, "the model failed", "the endpoint's log says why"),
    "ModelNotReadyException": (HTTPStatus.SERVICE_UNAVAILABLE, "the model is still being loaded", _RETRY_LATER),
    "ServiceUnavailable": (HTTPStatus.SERVICE_UNAVAILABLE, "the endpoint is busy", _RETRY_LATER),
    "ThrottlingException": (HTTPStatus.SERVICE_UNAVAILABLE, "there are too many requests at once", _RETRY_LATER),
    "ValidationError": (
        HTTPStatus.SERVICE_UNAVAILABLE,
        "the endpoint does not exist or is not in service",
        _RETRY_LATER,
    ),
}
_OTHER_ERROR = (HTTPStatus.BAD_GATEWAY, "the endpoint failed", _RETRY_LATER)
_RETRYABLE_CODES = frozenset(
    (
        *("InternalDependencyException", "InternalFailure", "ModelNotReadyException", "ServiceUnavailable"),
        "ThrottlingException",
    )
)


class EndpointRuntime(Protocol):
    """A client that invokes an endpoint."""

    def invoke(self, endpoint: str, body: bytes, content_type: str) -> bytes:
        """Returns the endpoint's response; raises botocore's exceptions."""


@dataclass(frozen=True)
class EndpointClient:
    """An endpoint, and how to retry its invocations."""

    name: str
    runtime: EndpointRuntime
    sleep: Callable[[float], None] = time.sleep

    def predict(self, picture: bytes, content_type: str, seconds_left: Callable[[], float]) -> tuple[Any, list[Any]]:
        """Returns logits and best labels; retries if that can help and a whole response fits into the time."""
        pauses = iter(RETRY_PAUSES)
        while True:
            try:
                return _parse_response(self.runtime.invoke(self.name, picture, content_type))
            except (ClientError, BotoCoreError) as error:
                pause = next(pauses, None)
                if pause is None or not _is_retryable(error) or seconds_left() < CONNECT_SECONDS + ANSWER_SECONDS:
                    raise _translate_error(error) from error
            self.sleep(pause)


def _parse_response(body: bytes) -> tuple[Any, list[Any]]:
    try:
        document = json.loads(body)
        return document[LOGITS], list(document[PREDICTIONS][0])
    except (LookupError, TypeError, ValueError) as error:
        cause, remedy = "the endpoint's response is not valid", "it must serve a model of this pipeline"
        raise RequestRefusedError(HTTPStatus.BAD_GATEWAY, cause, remedy) from error


def _is_retryable(error: ClientError | BotoCoreError) -> bool:
    """Returns whether a retry may help; not after a read time-out, which used the time of a whole response."""
    if isinstance(error, ClientError):
        return _error_code(error) in _RETRYABLE_CODES
    return isinstance(error, (NoConnectionError, HTTPClientError)) and not isinstance(error, ReadTimeoutError)


def _translate_error(error: ClientError | BotoCoreError) -> RequestRefusedError:
    if isinstance(error, ReadTimeoutError):
        return RequestRefusedError(
            HTTPStatus.GATEWAY_TIMEOUT, f"the endpoint took more than {ANSWER_SECONDS:g} s", _RETRY_LATER
        )
    if not isinstance(error, ClientError):
        return RequestRefusedError(*_OTHER_ERROR)
    # A container that answers 4xx has read the request and found an error in it.
    if _error_code(error) == "ModelError" and error.response["OriginalStatusCode"] in range(400, 500):
        return RequestRefusedError(
            HTTPStatus.UNPROCESSABLE_ENTITY, "the model cannot read the picture", "send another one"
        )
    return RequestRefusedError(*_ERRORS.get(_error_code(error), _OTHER_ERROR))


def _error_code(error: ClientError) -> str:
    return str(error.response["Error"]["Code"])
