"""What becomes of a picture on its way to the predict function, and of the function's answer on its way back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ResponseStreamingError

from pedigree.account.account import Account
from pedigree.account.errors import AbsentError, CallRefusedError, InvalidInputError, TransientError
from pipeline.account.predict import MOST_BYTES, Prediction, from_file, predict
from tests.support.fakes.predict_function import FakePredict, function_answer
from tests.support.fakes.served_services import account_with

BROKEN = {
    "StatusCode": 200,
    "FunctionError": "Unhandled",
    "Payload": b'{"errorType": "Runtime.ExitError", "errorMessage": "out of\\nmemory"}',
}


def predicted(answer: dict[str, Any], pipeline: str = "dog-breeds") -> tuple[Prediction, ...]:
    fake = FakePredict()
    fake.answer = answer
    return predict(account_with({"lambda": fake}), pipeline, {"url": "https://host/a.jpg"})


def test_labels_come_in_the_order_of_the_answer() -> None:
    best = [{"label": "Boxer", "class": "012.Boxer", "probability": 0.75}, {"label": "Akita", "probability": 0.25}]
    assert predicted(function_answer(200, predictions=best)) == (Prediction("Boxer", 0.75), Prediction("Akita", 0.25))


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (function_answer(422, body=json.dumps({"error": "no\npicture"})), "predict answers 422: no picture"),
        (function_answer(502, body="{}"), "is not understood; `pedigree upsert` brings both up to date"),
        (BROKEN, r"failed: out of memory \(Runtime.ExitError\); its log is /aws/lambda/sagemaker-dog-breeds-predict"),
        (function_answer(200), "is not understood"),
        (function_answer(200, predictions=[{"label": "x"}]), "is not understood"),
        ({"StatusCode": 200, "Payload": b"[]"}, "is not understood"),
        ({"StatusCode": 200, "Payload": b"nothing"}, "is not understood"),
    ],
)
def test_what_the_function_cannot_do_is_one_line(answer: dict[str, Any], message: str) -> None:
    with pytest.raises(CallRefusedError, match=message):
        predicted(answer)


def test_an_answer_that_is_cut_off_is_reported() -> None:
    class CutOff:
        def invoke(self, **request: Any) -> dict[str, Any]:
            return {"StatusCode": 200, "Payload": self}

        def read(self) -> bytes:
            raise ResponseStreamingError(error="Connection broken")

    account = Account("123456789012", "us-east-1", lambda _: CutOff())
    with pytest.raises(TransientError, match=r"lambda could not be asked: .*Connection broken"):
        predict(account, "dog-breeds", {"url": "https://host/a.jpg"})


def test_no_function_says_which_verb_makes_it() -> None:
    with pytest.raises(
        AbsentError, match="has no function sagemaker-cats-predict with alias live in us-east-1; `pedigree upsert`"
    ):
        predicted({}, "cats")


def test_a_file_that_is_no_picture_is_reported_before_anything_is_sent(tmp_path: Path) -> None:
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "large.jpg").write_bytes(bytes(MOST_BYTES + 1))
    (tmp_path / "most.jpg").write_bytes(bytes(MOST_BYTES))
    for name, message in (
        ("empty.jpg", "is empty; name a JPEG"),
        (
            "large.jpg",
            f"has {MOST_BYTES + 1} bytes, and a request takes {MOST_BYTES}; make it smaller, or send its --url",
        ),
        (".", "cannot be read: Is a directory"),
    ):
        with pytest.raises(InvalidInputError, match=message):
            from_file(tmp_path / name)
    assert len(json.dumps(from_file(tmp_path / "most.jpg"))) <= 6_291_456
