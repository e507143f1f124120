"""The endpoint's client: responses are parsed, and errors are reported without internals of the account."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
)

from predicting.endpoint import RETRY_PAUSES, EndpointClient
from predicting.errors import RequestRefusedError
from predicting.runtime import ANSWER_SECONDS, CONNECT_SECONDS

URL = "https://runtime.sagemaker.eu-west-3.amazonaws.com/endpoints/dogs/invocations"
SECRET = "arn:aws:logs:eu-west-3:123456789012:log-group:/aws/sagemaker/Endpoints/dogs"
BEST = [{"label": "Affenpinscher", "class": "001.Affenpinscher", "probability": 0.9}]
ANSWER = json.dumps({"logits": [[1.5, -2.0]], "predictions": [BEST]}).encode()


def told(code: str, original: int | None = None) -> ClientError:
    return ClientError(
        {"Error": {"Code": code, "Message": SECRET}, "OriginalStatusCode": original},
        "InvokeEndpoint",
    )


@dataclass
class ScriptedRuntime:
    """A runtime that gives prepared answers, and counts its calls."""

    answers: Iterator[bytes | Exception]
    asked: list[tuple[str, bytes, str]] = field(default_factory=list)

    def invoke(self, endpoint: str, body: bytes, content_type: str) -> bytes:
        self.asked.append((endpoint, body, content_type))
        answer = next(self.answers)
        if isinstance(answer, Exception):
            raise answer
        return answer


@dataclass
class Outcome:
    """The result of a call."""

    runtime: ScriptedRuntime
    pauses: list[float]
    answer: Any = None
    refused: RequestRefusedError | None = None


def ask(*answers: bytes | Exception, seconds_left: float = float("inf")) -> Outcome:
    pauses: list[float] = []
    asked = Outcome(ScriptedRuntime(iter(answers)), pauses)
    try:
        asked.answer = EndpointClient("dogs", asked.runtime, pauses.append).predict(
            b"bytes", "image/png", lambda: seconds_left
        )
    except RequestRefusedError as refused:
        asked.refused = refused
    return asked


def test_the_picture_goes_as_it_is_and_its_labels_come_back() -> None:
    asked = ask(ANSWER)
    assert asked.runtime.asked == [("dogs", b"bytes", "image/png")]
    assert asked.answer == ([[1.5, -2.0]], BEST)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (told("ModelError", 400), 422),
        (told("ModelError", 415), 422),
        (told("ModelError", 500), 424),
        (told("ModelError"), 424),
        (told("ModelNotReadyException"), 503),
        (told("ThrottlingException"), 503),
        (told("ServiceUnavailable"), 503),
        (told("ValidationError"), 503),
        (told("AccessDeniedException"), 502),
        (told("InternalFailure"), 502),
        (told("ExpiredTokenException"), 502),
        (told("SomethingNew"), 502),
        (ReadTimeoutError(endpoint_url=URL), 504),
        (ConnectTimeoutError(endpoint_url=URL), 502),
        (EndpointConnectionError(endpoint_url=URL), 502),
        (NoCredentialsError(), 502),
    ],
)
def test_an_error_has_a_status_and_keeps_its_secrets(error: Exception, status: int) -> None:
    refused = ask(error, error, error).refused
    assert refused
    assert refused.status == status
    assert refused.__cause__ is error
    assert not any(word in str(refused) for word in ("123456789012", "arn:", "amazonaws", "Traceback", "dogs"))


@pytest.mark.parametrize(
    "error",
    [
        *(told(code) for code in ("ThrottlingException", "ServiceUnavailable", "InternalFailure")),
        *(told(code) for code in ("ModelNotReadyException", "InternalDependencyException")),
        ConnectionClosedError(endpoint_url=URL),
        EndpointConnectionError(endpoint_url=URL),
        ConnectTimeoutError(endpoint_url=URL),
    ],
)
def test_temporary_errors_are_retried(error: Exception) -> None:
    asked = ask(error, error, ANSWER)
    assert asked.answer
    assert asked.pauses == list(RETRY_PAUSES)


@pytest.mark.parametrize(
    "error",
    [
        *(told(code, 500) for code in ("ModelError", "ValidationError", "AccessDeniedException")),
        ReadTimeoutError(endpoint_url=URL),
    ],
)
def test_permanent_errors_are_not_retried(error: Exception) -> None:
    assert len(ask(error, ANSWER).runtime.asked) == 1


def test_a_temporary_error_that_stays_is_retried_a_few_times() -> None:
    asked = ask(*[told("ThrottlingException")] * 9)
    assert len(asked.runtime.asked) == 1 + len(RETRY_PAUSES)
    assert asked.refused


def test_there_is_no_retry_without_time_for_a_response() -> None:
    least = CONNECT_SECONDS + ANSWER_SECONDS
    assert ask(told("ThrottlingException"), ANSWER, seconds_left=least).answer
    assert len(ask(told("ThrottlingException"), ANSWER, seconds_left=least - 1).runtime.asked) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"\xff",
        b"null",
        b"[[1.0, 2.0]]",
        b'"logits"',
        b'{"logits": [[1.0]]}',
        b'{"predictions": [[]]}',
        b'{"logits": [[1.0]], "predictions": []}',
        b'{"logits": [[1.0]], "predictions": {}}',
        b'{"logits": [[1.0]], "predictions": 5}',
        b'{"logits": [[1.0]], "predictions": [5]}',
    ],
)
def test_a_response_of_another_model_is_an_error(body: bytes) -> None:
    refused = ask(body).refused
    assert refused
    assert refused.status == 502
