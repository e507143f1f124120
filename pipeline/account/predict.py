"""Calls the predict function with one picture: a local file, or an address that the function fetches."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pedigree.account.account import Account
from pedigree.account.errors import AbsentError, CallRefusedError, InvalidInputError
from pedigree.errors import Mistake
from steps.functions import LIVE, function_name

# What Lambda takes in one request, in bytes of the picture: base64 makes four of three.
MOST_BYTES = (6_291_456 - 1024) // 4 * 3
_OK = 200


@dataclass(frozen=True)
class Prediction:
    """A label and its probability."""

    label: str
    probability: float


def from_file(path: Path) -> dict[str, str]:
    """The event that sends a picture."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InvalidInputError(
            [Mistake(f"{path} cannot be read: {error.strerror}", "name a JPEG, PNG or WebP file")]
        ) from None
    if not content:
        raise InvalidInputError([Mistake(f"{path} is empty", "name a JPEG, PNG or WebP file")])
    if len(content) > MOST_BYTES:
        raise InvalidInputError(
            [
                Mistake(
                    f"{path} has {len(content)} bytes, and a request takes {MOST_BYTES}",
                    "make it smaller, or send its --url",
                )
            ]
        )
    return {"image": base64.b64encode(content).decode()}


def predict(account: Account, pipeline: str, event: Mapping[str, str]) -> tuple[Prediction, ...]:
    """The labels of a picture, the likeliest first; RefusedError says why there are none."""
    name = function_name(pipeline, "predict")
    request = {"FunctionName": name, "Qualifier": LIVE, "Payload": json.dumps(event).encode()}
    try:
        answer = account.call("lambda", "invoke", **request)
    except AbsentError:
        raise AbsentError(
            f"account {account.id} has no function {name} with alias {LIVE} in {account.region}",
            "`pedigree upsert` puts it there",
        ) from None
    payload = account.read("lambda", "invoke", answer["Payload"])
    return _predictions(name, _document(name, payload), bool(answer.get("FunctionError")))


def _document(name: str, payload: bytes) -> Mapping[str, Any]:
    try:
        document = json.loads(payload)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise _misunderstood(name)
    return document


def _predictions(name: str, document: Mapping[str, Any], failed: bool) -> tuple[Prediction, ...]:
    if failed:
        kind, message = document.get("errorType", ""), " ".join(str(document.get("errorMessage", "")).split())
        raise CallRefusedError(
            f"function {name} failed: {message} ({kind})", f"its log is /aws/lambda/{name}", code=str(kind)
        )
    try:
        status = int(document["statusCode"])
        if status != _OK:
            error = json.loads(document["body"])["error"]
            raise CallRefusedError(
                f"function {name} answers {status}: {' '.join(str(error).split())}", code=str(status)
            )
        return tuple(
            Prediction(str(prediction["label"]), float(prediction["probability"]))
            for prediction in document["predictions"]
        )
    except (LookupError, TypeError, ValueError):
        raise _misunderstood(name) from None


def _misunderstood(name: str) -> CallRefusedError:
    return CallRefusedError(
        f"the answer of function {name} is not understood", "`pedigree upsert` brings both up to date"
    )
