"""What the endpoint runs: pictures in, logits and the five best labels out, by the functions that AWS's toolkit calls.

It needs nothing but the folder that it lies in and what AWS's stock PyTorch image has: no requirements.txt, no network.
A picture comes as its bytes, or as base64 in JSON, alone or several; a URL is refused, as an endpoint that fetches what
callers name is an open door. The toolkit counts the parameters of these functions, so they have exactly its own; it
calls all of them in one thread, which torch needs to be fast, and so should whatever else serves this file.
"""

from __future__ import annotations

import base64
import binascii
import json
import sys
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

# Before the site's packages: the modules beside this one have plain names.
sys.path.insert(0, str(Path(__file__).resolve().parent))

import torch

import contract
import pictures
import predictor
import tensors
from errors import DataError

try:
    from sagemaker_inference.errors import BaseInferenceToolkitError as AnswerError
except ImportError:  # a bare process, without AWS's toolkit
    AnswerError = Exception

JSON = contract.JSON_TYPE
PICTURES = (*contract.PICTURE_TYPES, "image/jpg", "application/x-image")  # the last two are what some callers say
ANYTHING = ("", "*/*", "application/*")
FORMATS = ("JPEG", "PNG", "WEBP")
MOST_BYTES = 25 * 1024 * 1024  # what SageMaker lets through to an endpoint
MOST_PIXELS = 50_000_000
MOST_PICTURES = 32
BEST = 5


class RequestError(DataError, AnswerError):
    """A request that cannot be answered, with the HTTP status that says whose fault it is: not the endpoint's."""

    def __init__(self, message: str, status: HTTPStatus = HTTPStatus.BAD_REQUEST) -> None:
        Exception.__init__(self, message)
        # By these names the toolkit makes its answer.
        self.status_code, self.message, self.phrase = int(status), message, status.phrase


def model_fn(model_dir: str) -> predictor.Predictor:
    """The model of a directory, ready to answer."""
    return predictor.load(Path(model_dir))


def input_fn(body: bytes | bytearray | str, content_type: str | None) -> list[bytes]:
    """The pictures of a request, each as the bytes of its file."""
    kind = _plain(content_type)
    if len(body) > MOST_BYTES:
        raise RequestError(f"the request has {len(body)} bytes, more than {MOST_BYTES}; send smaller pictures")
    if kind == JSON:
        return _pictures_of(body)
    if kind not in PICTURES:
        known = ", ".join((*PICTURES, JSON))
        raise RequestError(
            f"content type {content_type!r} is not understood; send {known}", HTTPStatus.UNSUPPORTED_MEDIA_TYPE
        )
    if isinstance(body, str):
        raise RequestError(f"the body is text, and no {kind}; send the bytes of the file")
    return [bytes(body)]


def predict_fn(data: list[bytes], model: predictor.Predictor) -> dict[str, Any]:
    """Logits and best labels of every picture."""
    side = model.model.image_size
    # One by one: only the small squares are kept, however large the pictures are.
    batch = torch.stack([tensors.pixels(_decoded(number, one), side) for number, one in enumerate(data)])
    logits = model.logits(batch)
    return {
        contract.LOGITS: logits.tolist(),
        contract.PREDICTIONS: [_best(row, model) for row in logits.softmax(dim=1)],
    }


def output_fn(prediction: dict[str, Any], accept: str | None) -> tuple[str, str]:
    """The answer as JSON, which is all that it can be."""
    wanted = [_plain(one) for one in (accept or "").split(",")]
    if not any(one in (JSON, *ANYTHING) for one in wanted):
        raise RequestError(f"the answer cannot be {accept!r}; accept {JSON}", HTTPStatus.NOT_ACCEPTABLE)
    return json.dumps(prediction, ensure_ascii=False), JSON


def _plain(content_type: str | None) -> str:
    """A content type without its parameters."""
    return (content_type or "").partition(";")[0].strip().lower()


def _pictures_of(body: bytes | bytearray | str) -> list[bytes]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise RequestError(f"the body is no JSON: {error}; {_SHAPE}") from None
    if not isinstance(document, Mapping):
        raise RequestError(f"the body is a JSON {type(document).__name__}; {_SHAPE}")
    if "url" in document:
        raise RequestError(f"no URL is fetched; {_SHAPE}")
    if len(document.keys() & {"image", "images"}) != 1:
        raise RequestError(f"the body has neither or both of image and images; {_SHAPE}")
    texts = [document["image"]] if "image" in document else document["images"]
    if not isinstance(texts, list) or not 1 <= len(texts) <= MOST_PICTURES:
        raise RequestError(f"images is no list of 1 to {MOST_PICTURES} pictures; send them in several requests")
    return [_bytes_of(number, text) for number, text in enumerate(texts)]


_SHAPE = 'send {"image": base64} or {"images": [base64, …]}'


def _bytes_of(number: int, text: object) -> bytes:
    try:
        if not isinstance(text, str):
            raise RequestError(f"picture {number} is no text; {_SHAPE}")
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise RequestError(f"picture {number} is no base64: {error}; encode the bytes of the file") from None


def _decoded(number: int, content: bytes) -> Any:
    try:
        return pictures.decode(content, FORMATS, MOST_PIXELS)
    except DataError as error:
        raise RequestError(f"picture {number} {error}") from None


def _best(probabilities: torch.Tensor, model: predictor.Predictor) -> list[dict[str, Any]]:
    values, indexes = probabilities.topk(min(BEST, len(probabilities)))
    return [
        {
            "label": model.model.labels[index],
            "class": model.model.classes[index],
            "probability": value,
        }
        for value, index in zip(values.tolist(), indexes.tolist(), strict=True)
    ]
