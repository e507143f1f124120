"""The predict function for its callers: the course project's fields, the best labels, and an answer to everything."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError

import predict
from predict import PredictFunction, PredictRequest, respond
from predicting import runtime
from predicting.endpoint import EndpointClient
from predicting.errors import RequestRefusedError
from steps.functions import PredictFunctionConfig
from tests.support.claimed_pictures import jpeg, png
from tests.support.loopback import http, serving

LAMBDA = Path(predict.__file__).parent
PICTURE = png(8, 8)
LOGITS = [[round(0.1 * number, 1) for number in range(133)]]
BEST = [
    {"label": f"breed {number}", "class": f"{number:03}.breed", "probability": 0.5 / (1 + number)}
    for number in range(5)
]
ANSWER = json.dumps({"logits": LOGITS, "predictions": [BEST]}).encode()


@dataclass
class Runtime:
    """An endpoint that answers or fails."""

    answer: bytes | Exception = ANSWER

    def invoke(self, endpoint: str, body: bytes, content_type: str) -> bytes:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def brought(url: str) -> bytes:
    """Stands for the web and for S3."""
    if url.endswith("/secret?token=hidden"):
        raise RequestRefusedError(
            HTTPStatus.FORBIDDEN, "pictures.example has no public address", "send another"
        ) from OSError("10.0.0.1")
    if url.endswith("/bug"):
        raise ZeroDivisionError("division by zero at arn:aws:iam::123456789012")
    return jpeg(8, 8)


def ask(event: object, answer: bytes | Exception = ANSWER, level: str = "INFO") -> tuple[dict[str, Any], list[Any]]:
    """Returns the response to an event, and the log."""
    lines: list[str] = []
    function = PredictFunction(
        EndpointClient("dogs", Runtime(answer)), {"https": brought, "s3": brought}, level, lines.append
    )
    given = respond(PredictRequest(event, "request-1"), function)
    assert all(line.endswith("\n") and line.count("\n") == 1 for line in lines)
    return given, [json.loads(line) for line in lines]


def image(content: bytes) -> dict[str, str]:
    return {"image": base64.b64encode(content).decode()}


def test_a_picture_is_answered_with_the_fields_of_the_course_and_the_best_labels() -> None:
    assert ask(image(PICTURE))[0] == {
        "statusCode": 200,
        "headers": {"Content-Type": "text/plain", "Access-Control-Allow-Origin": "*"},
        "type-result": "<class 'str'>",
        "COntent-Type-In": "image/png",
        "body": json.dumps(LOGITS),
        "predictions": BEST,
    }


@pytest.mark.parametrize("url", ["https://pictures.example/a", "HTTPS://pictures.example/a", "s3://pictures/a"])
def test_a_picture_is_fetched(url: str) -> None:
    given, _ = ask({"url": url})
    assert given["statusCode"] == 200
    assert given["COntent-Type-In"] == "image/jpeg"


def test_base64_may_have_the_line_breaks_that_tools_make() -> None:
    assert ask({"image": base64.encodebytes(PICTURE).decode().replace("\n", "\r\n")})[0]["statusCode"] == 200


@pytest.mark.parametrize(
    ("event", "status"),
    [
        *((event, 400) for event in ({}, None, [], "url", 5, [{"url": "https://a.example"}], {"URL": "https://a.b"})),
        *((event, 400) for event in ({"url": None}, {"url": 5}, {"url": ["https://a.b"]}, {"image": b"x"})),
        ({"url": "https://pictures.example/a", **image(PICTURE)}, 400),
        *(({"image": text}, 400) for text in ("no base64", "abc", "é", "data:image/png;base64,iVBO", "=")),
        ({"image": ""}, 415),
        (image(b"GIF89a"), 415),
        (image(png(10**6, 10**6)), 413),
        (image(PICTURE[:20]), 422),
        (image(PICTURE + bytes(predict.MAX_BYTES)), 413),
        (image(PICTURE + bytes(predict.MAX_BYTES + 1 - len(PICTURE))), 413),
        ({"url": "https://pictures.example/secret?token=hidden"}, 403),
    ],
)
def test_an_invalid_request_is_answered_with_the_reason(event: object, status: int) -> None:
    given, lines = ask(event)
    assert given["statusCode"] == status
    assert given.keys() == ask(image(PICTURE))[0].keys()
    assert given["predictions"] == []
    message = json.loads(given["body"])["error"]
    assert message
    assert [(line["level"], line["status"], line["message"]) for line in lines] == [("WARNING", status, message)]


def test_as_many_bytes_as_the_endpoint_takes_are_sent() -> None:
    assert ask(image(PICTURE + bytes(predict.MAX_BYTES - len(PICTURE))))[0]["statusCode"] == 200


def test_the_endpoints_failure_is_reported_as_its_own() -> None:
    given, lines = ask(image(PICTURE), ReadTimeoutError(endpoint_url="https://runtime.sagemaker.amazonaws.com"))
    assert given["statusCode"] == 504
    assert "amazonaws" not in json.dumps(given)
    assert lines[0]["level"] == "ERROR"
    assert "ReadTimeoutError" in lines[0]["cause"]


def test_the_traceback_of_a_bug_is_in_the_log_and_not_in_the_response() -> None:
    given, lines = ask({"url": "https://pictures.example/bug"})
    assert given["statusCode"] == 500
    assert json.loads(given["body"]) == {"error": "the function failed"}
    assert "ZeroDivisionError" in lines[0]["traceback"]
    assert lines[0]["level"] == "ERROR"


def test_the_log_describes_the_request_without_secrets() -> None:
    _, lines = ask({"url": "https://pictures.example/secret?token=hidden"})
    assert "10.0.0.1" in lines[0]["cause"]
    assert "hidden" not in json.dumps(lines)
    _, lines = ask(image(PICTURE))
    fields = {name: lines[0][name] for name in ("level", "message", "function", "request", "source", "status", "bytes")}
    assert list(fields.values()) == ["INFO", "answered", "predict", "request-1", "image", 200, len(PICTURE)]
    assert lines[0]["milliseconds"] >= 0


def test_the_log_level_is_respected() -> None:
    assert not ask(image(PICTURE), level="WARNING")[1]
    assert not ask({}, level="ERROR")[1]
    assert ask({}, level="WARNING")[1]
    assert ask(image(PICTURE), level="no level")[1]


def test_the_function_is_given_more_time_than_fetching_and_asking_take() -> None:
    given = PredictFunctionConfig().timeout_seconds
    assert given > predict.FETCH_SECONDS + runtime.CONNECT_SECONDS + runtime.ANSWER_SECONDS


# What AWS does: unpack the archive into a folder of its own, import it, call it with a context.
CALL = """
import json, sys
sys.path.insert(0, sys.argv[1])
import predict
early = [name for name in sys.argv[2].split() if name in sys.modules]
class Context:
    aws_request_id = "request-1"
    def get_remaining_time_in_millis(self): return 65_000
    def __str__(self): return "arn:aws:lambda:eu-west-3:123456789012:function:predict"
answers = [predict.handler(event, Context()) for event in json.load(sys.stdin)] + [predict.handler({}, None)]
print(json.dumps({"early": early, "answers": answers}))
"""
RARELY = "boto3 botocore.session botocore.client predicting.s3_fetch"


def test_the_deployed_function_answers_from_its_own_folder(tmp_path: Path) -> None:
    """A process of its own; SageMaker and S3 are one server that AWS's variables lead to."""

    def answer(request: str) -> list[bytes]:
        return [http(ANSWER if request.startswith("POST /endpoints/dogs/invocations") else PICTURE)]

    shutil.copy(LAMBDA / "predict.py", tmp_path)
    shutil.copytree(LAMBDA / "predicting", tmp_path / "predicting", ignore=shutil.ignore_patterns("__pycache__"))
    events = [image(PICTURE), {"url": "s3://pictures/dog.png"}, {"url": "https://127.0.0.1/"}]
    with serving(answer) as server:
        environment = {
            "ENDPOINT_NAME": "dogs",
            "AWS_REGION": "eu-west-3",
            "AWS_DEFAULT_REGION": "eu-west-3",
            "AWS_ACCESS_KEY_ID": "ASIAEXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_ENDPOINT_URL": server.url,
            "PATH": os.environ["PATH"],
        }
        done = subprocess.run(
            [sys.executable, "-I", "-B", "-c", CALL, str(tmp_path), RARELY],
            input=json.dumps(events),
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        requests = [request.partition("\r\n")[0] for request in server.requests]
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    results = lines.pop()
    assert [line["status"] for line in lines] == [200, 200, 403, 400]
    assert [answer["statusCode"] for answer in results["answers"]] == [200, 200, 403, 400]
    assert results["answers"][1]["predictions"] == BEST
    assert "123456789012" not in done.stdout
    assert results["early"] == []
    assert requests == [
        "POST /endpoints/dogs/invocations HTTP/1.1",
        "GET /pictures/dog.png HTTP/1.1",
        "POST /endpoints/dogs/invocations HTTP/1.1",
    ]
