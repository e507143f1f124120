"""The endpoint's code: takes pictures, returns logits and the five best labels, by the functions of AWS's toolkit.

It needs only the folder that it lies in and AWS's stock PyTorch image: no requirements.txt, no network. A request has
the bytes of a picture, or JSON with one or several pictures as base64. URLs are refused: an endpoint must not fetch
addresses that callers choose. The toolkit counts the parameters of these functions, so their signatures are fixed. It
calls all of them in one thread, which torch needs to be fast; any other server of this file should do the same.
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

# Before site-packages: the modules beside this one have common names.
sys.path.insert(0, str(Path(__file__).resolve().parent))

import torch

import contract
import pictures
import predictor
import tensors
from errors import DataError

try:
    from sagemaker_inference.errors import BaseInferenceToolkitError as ToolkitError
except ImportError:  # a process without AWS's toolkit
    ToolkitError = Exception

JSON = contract.JSON_TYPE
PICTURE_TYPES = (*contract.PICTURE_TYPES, "image/jpg", "application/x-image")  # the last two are used by some callers
WILDCARD_TYPES = ("", "*/*", "application/*")
FORMATS = ("JPEG", "PNG", "WEBP")
MAX_BYTES = 25 * 1024 * 1024  # SageMaker's limit for a request to an endpoint
MAX_PIXELS = 50_000_000
MAX_PICTURES = 32
TOP_COUNT = 5


class RequestError(DataError, ToolkitError):
    """A request that cannot be answered, with an HTTP status that blames the caller and not the endpoint."""

    def __init__(self, cause: str, remedy: str, status: HTTPStatus = HTTPStatus.BAD_REQUEST) -> None:
        super().__init__(cause, remedy)
        # The toolkit builds its response from these attributes.
        self.status_code, self.message, self.phrase = int(status), str(self), status.phrase


def model_fn(model_dir: str) -> predictor.Predictor:
    """Loads the model of a directory."""
    return predictor.load(Path(model_dir))


def input_fn(body: bytes | bytearray | str, content_type: str | None) -> list[bytes]:
    """Returns the pictures of a request, each as the bytes of its file."""
    media_type = _media_type(content_type)
    if len(body) > MAX_BYTES:
        raise RequestError(f"the request has {len(body)} bytes, more than {MAX_BYTES}", "send smaller pictures")
    if media_type == JSON:
        return _pictures_in_json(body)
    if media_type not in PICTURE_TYPES:
        supported = ", ".join((*PICTURE_TYPES, JSON))
        raise RequestError(
            f"content type {content_type!r} is not supported", f"send {supported}", HTTPStatus.UNSUPPORTED_MEDIA_TYPE
        )
    if isinstance(body, str):
        raise RequestError(f"the body is text and not {media_type}", "send the bytes of the file")
    return [bytes(body)]


def predict_fn(data: list[bytes], model: predictor.Predictor) -> dict[str, Any]:
    """Returns the logits and the best labels of every picture."""
    side = model.description.image_size
    # One at a time, so that only the small crops stay in memory.
    batch = torch.stack([tensors.pixels(_decode_picture(index, content), side) for index, content in enumerate(data)])
    logits = model.logits(batch)
    return {
        contract.LOGITS: logits.tolist(),
        contract.PREDICTIONS: [_top_labels(row, model) for row in logits.softmax(dim=1)],
    }


def output_fn(prediction: dict[str, Any], accept: str | None) -> tuple[str, str]:
    """Returns the answer as JSON, the only format."""
    accepted = [_media_type(content) for content in (accept or "").split(",")]
    if not any(content in (JSON, *WILDCARD_TYPES) for content in accepted):
        raise RequestError(f"the answer cannot be {accept!r}", f"accept {JSON}", HTTPStatus.NOT_ACCEPTABLE)
    return json.dumps(prediction, ensure_ascii=False), JSON


def _media_type(content_type: str | None) -> str:
    """Returns a content type without its parameters."""
    return (content_type or "").partition(";")[0].strip().lower()


def _pictures_in_json(body: bytes | bytearray | str) -> list[bytes]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise RequestError(f"the body is not JSON: {error}", _EXPECTED) from None
    if not isinstance(document, Mapping):
        raise RequestError(f"the body is a JSON {type(document).__name__}", _EXPECTED)
    if "url" in document:
        raise RequestError("URLs are not fetched", _EXPECTED)
    if len(document.keys() & {"image", "images"}) != 1:
        raise RequestError("the body must have either image or images", _EXPECTED)
    texts = [document["image"]] if "image" in document else document["images"]
    if not isinstance(texts, list) or not 1 <= len(texts) <= MAX_PICTURES:
        raise RequestError(f"images is not a list of 1 to {MAX_PICTURES} pictures", "send them in several requests")
    return [_decode_base64(index, text) for index, text in enumerate(texts)]


_EXPECTED = 'send {"image": base64} or {"images": [base64, …]}'


def _decode_base64(index: int, text: object) -> bytes:
    try:
        if not isinstance(text, str):
            raise RequestError(f"picture {index} is not text", _EXPECTED)
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise RequestError(f"picture {index} is not base64: {error}", "encode the bytes of the file") from None


def _decode_picture(index: int, content: bytes) -> Any:
    try:
        return pictures.decode(content, FORMATS, MAX_PIXELS)
    except DataError as error:
        raise RequestError(f"picture {index} {error.cause}", error.remedy) from None


def _top_labels(probabilities: torch.Tensor, model: predictor.Predictor) -> list[dict[str, Any]]:
    values, indexes = probabilities.topk(min(TOP_COUNT, len(probabilities)))
    return [
        {
            "label": model.description.labels[index],
            "class": model.description.classes[index],
            "probability": value,
        }
        for value, index in zip(values.tolist(), indexes.tolist(), strict=True)
    ]
