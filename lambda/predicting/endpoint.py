"""The endpoint, asked for one picture: what it answers, and what to say when it does not.

Its errors name accounts, addresses and containers, so a message of ours takes their place; the error itself goes to
the log as the cause.
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

from predicting.errors import Refused
from predicting.runtime import ANSWER_SECONDS, CONNECT_SECONDS

LOGITS = "logits"
PREDICTIONS = "predictions"
PAUSES_SECONDS = (0.1, 0.3)

_LATER = "try again in a minute"
_FAULTS: Mapping[str, tuple[HTTPStatus, str]] = {
    "AccessDeniedException": (HTTPStatus.BAD_GATEWAY, "the function may not ask its endpoint; mend its role"),
    "ModelError": (HTTPStatus.FAILED_DEPENDENCY, "the model failed; the endpoint's log says why"),
    "ModelNotReadyException": (HTTPStatus.SERVICE_UNAVAILABLE, f"the model is still being loaded; {_LATER}"),
    "ServiceUnavailable": (HTTPStatus.SERVICE_UNAVAILABLE, f"the endpoint is busy; {_LATER}"),
    "ThrottlingException": (HTTPStatus.SERVICE_UNAVAILABLE, f"too many requests at once; {_LATER}"),
    "ValidationError": (HTTPStatus.SERVICE_UNAVAILABLE, f"the endpoint is not there, or not in service; {_LATER}"),
}
_ANOTHER_FAULT = (HTTPStatus.BAD_GATEWAY, f"the endpoint failed; {_LATER}")
_PASSING = frozenset(
    (
        *("InternalDependencyException", "InternalFailure", "ModelNotReadyException", "ServiceUnavailable"),
        "ThrottlingException",
    )
)


class Invokes(Protocol):
    """Whatever can send a picture to an endpoint."""

    def invoke(self, endpoint: str, body: bytes, content_type: str) -> bytes:
        """The endpoint's answer; botocore's exceptions say why there is none."""


@dataclass(frozen=True)
class Endpoint:
    """An endpoint, and how patiently it is asked."""

    name: str
    runtime: Invokes
    sleep: Callable[[float], None] = time.sleep

    def ask(self, picture: bytes, content_type: str, seconds_left: Callable[[], float]) -> tuple[Any, list[Any]]:
        """Logits and best labels; asked again only where that can help, and while a whole answer fits into the time."""
        pauses = iter(PAUSES_SECONDS)
        while True:
            try:
                return _understood(self.runtime.invoke(self.name, picture, content_type))
            except (ClientError, BotoCoreError) as error:
                pause = next(pauses, None)
                if pause is None or not _passes(error) or seconds_left() < CONNECT_SECONDS + ANSWER_SECONDS:
                    raise _refusal(error) from error
            self.sleep(pause)


def _understood(body: bytes) -> tuple[Any, list[Any]]:
    try:
        document = json.loads(body)
        return document[LOGITS], list(document[PREDICTIONS][0])
    except (LookupError, TypeError, ValueError) as error:
        message = "the endpoint's answer is not understood; it must serve a model of this pipeline"
        raise Refused(HTTPStatus.BAD_GATEWAY, message) from error


def _passes(error: ClientError | BotoCoreError) -> bool:
    """Whether it may be over at once: not where a whole answer was waited for in vain."""
    if isinstance(error, ClientError):
        return _code(error) in _PASSING
    return isinstance(error, (NoConnectionError, HTTPClientError)) and not isinstance(error, ReadTimeoutError)


def _refusal(error: ClientError | BotoCoreError) -> Refused:
    if isinstance(error, ReadTimeoutError):
        return Refused(HTTPStatus.GATEWAY_TIMEOUT, f"the endpoint took more than {ANSWER_SECONDS:g} s; {_LATER}")
    if not isinstance(error, ClientError):
        return Refused(*_ANOTHER_FAULT)
    # A container that answers 4xx has looked at the picture and found the fault there.
    if _code(error) == "ModelError" and error.response["OriginalStatusCode"] in range(400, 500):
        return Refused(HTTPStatus.UNPROCESSABLE_ENTITY, "the model cannot read the picture; send another one")
    return Refused(*_FAULTS.get(_code(error), _ANOTHER_FAULT))


def _code(error: ClientError) -> str:
    return str(error.response["Error"]["Code"])
