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


def client_error(code: str, original: int | None = None) -> ClientError:
    return ClientError(
        {"Error": {"Code": code, "Message": SECRET}, "OriginalStatusCode": original},
        "InvokeEndpoint",
    )


@dataclass
class ScriptedRuntime:
    """A runtime that gives prepared answers, and counts its calls."""

    answers: Iterator[bytes | Exception]
    calls: list[tuple[str, bytes, str]] = field(default_factory=list)

    def invoke(self, endpoint: str, body: bytes, content_type: str) -> bytes:
        self.calls.append((endpoint, body, content_type))
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
    outcome = Outcome(ScriptedRuntime(iter(answers)), pauses)
    try:
        outcome.answer = EndpointClient("dogs", outcome.runtime, pauses.append).predict(
            b"bytes", "image/png", lambda: seconds_left
        )
    except RequestRefusedError as refused:
        outcome.refused = refused
    return outcome


def test_the_picture_goes_as_it_is_and_its_labels_come_back() -> None:
    outcome = ask(ANSWER)
    assert outcome.runtime.calls == [("dogs", b"bytes", "image/png")]
    assert outcome.answer == ([[1.5, -2.0]], BEST)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (client_error("ModelError", 400), 422),
        (client_error("ModelError", 415), 422),
        (client_error("ModelError", 500), 424),
        (client_error("ModelError"), 424),
        (client_error("ModelNotReadyException"), 503),
        (client_error("ThrottlingException"), 503),
        (client_error("ServiceUnavailable"), 503),
        (client_error("ValidationError"), 503),
        (client_error("AccessDeniedException"), 502),
        (client_error("InternalFailure"), 502),
        (client_error("ExpiredTokenException"), 502),
        (client_error("SomethingNew"), 502),
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
        *(client_error(code) for code in ("ThrottlingException", "ServiceUnavailable", "InternalFailure")),
        *(client_error(code) for code in ("ModelNotReadyException", "InternalDependencyException")),
        ConnectionClosedError(endpoint_url=URL),
        EndpointConnectionError(endpoint_url=URL),
        ConnectTimeoutError(endpoint_url=URL),
    ],
)
def test_temporary_errors_are_retried(error: Exception) -> None:
    outcome = ask(error, error, ANSWER)
    assert outcome.answer
    assert outcome.pauses == list(RETRY_PAUSES)


@pytest.mark.parametrize(
    "error",
    [
        *(client_error(code, 500) for code in ("ModelError", "ValidationError", "AccessDeniedException")),
        ReadTimeoutError(endpoint_url=URL),
    ],
)
def test_permanent_errors_are_not_retried(error: Exception) -> None:
    assert len(ask(error, ANSWER).runtime.calls) == 1


def test_a_temporary_error_that_stays_is_retried_a_few_times() -> None:
    outcome = ask(*[client_error("ThrottlingException")] * 9)
    assert len(outcome.runtime.calls) == 1 + len(RETRY_PAUSES)
    assert outcome.refused


def test_there_is_no_retry_without_time_for_a_response() -> None:
    least = CONNECT_SECONDS + ANSWER_SECONDS
    assert ask(client_error("ThrottlingException"), ANSWER, seconds_left=least).answer
    assert len(ask(client_error("ThrottlingException"), ANSWER, seconds_left=least - 1).runtime.calls) == 1


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
