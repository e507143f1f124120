"""The functions of a model of TensorFlow: what AWS's tensorflow-inference images do with SavedModels and inference.py.

inference.py may have input_handler and output_handler, or handler alone; without one, requests go to the model as they
are. TFS_DEFAULT_MODEL_NAME says which of several models is meant.
"""

from __future__ import annotations

import io
import os
import sys
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from tensorflow_serving_container.request_formats import JSON, JSON_LINES, JSONS, ServingRequestError, serving_document
from tensorflow_serving_container.rest_server import started
from tensorflow_serving_container.saved_models import SavedModels

Context = namedtuple(
    "Context",
    "model_name, model_version, method, rest_uri, grpc_port, channel, "
    "custom_attributes, request_content_type, accept_header, content_length",
)
_PROGRAM = "inference"
_FAILED = 500
_SECONDS = 3600


class Served:
    """Models, and the way to the handlers of their code."""

    def __init__(self, models: SavedModels, code: ModuleType | None) -> None:
        self.models = models
        self.handler = _handler(code) if code else None
        self.uri = f"http://localhost:{started(models)}/v1/models/{models.default}:predict"


def model_fn(folder: str) -> Served:
    """Load the models; the code was imported before."""
    models = SavedModels.load(Path(folder), os.environ.get("TFS_DEFAULT_MODEL_NAME", ""))
    return Served(models, sys.modules.get(_PROGRAM))


def input_fn(body: bytes, content_type: str) -> Any:
    """Keep both: what they are depends on the code."""
    return body, content_type


def predict_fn(data: Any, model: Served) -> Any:
    """Keep all: what is predicted depends on the accepted type, which output_fn knows."""
    return model, *data


def output_fn(prediction: Any, accept: str) -> tuple[bytes | str, str]:
    """Predict, and write the answer."""
    model, body, content_type = prediction
    if model.handler is None:
        return _answered(model.models, body.decode(), content_type, accept)
    own = Context(None, None, None, model.uri, None, None, None, content_type, accept, len(body))
    try:
        content, kind = model.handler(io.BytesIO(body), own)
    except Exception as error:
        raise ServingRequestError(_FAILED, str(error)) from error
    return content, kind


def _answered(models: SavedModels, body: str, content_type: str, accept: str) -> tuple[bytes, str]:
    content = models.answer(models.default, "", serving_document(body, content_type))
    kinds = [kind.strip() for kind in accept.split(",")]
    if JSON_LINES in kinds or JSONS in kinds:
        return content.replace(b"\n", b""), kinds[0]
    return content, JSON


def _handler(code: ModuleType) -> Callable[[Any, Context], Any]:
    """The handler of inference.py, or one of both halves with the model between them."""
    if hasattr(code, "handler"):
        whole: Callable[[Any, Context], Any] = code.handler
        return whole
    if not (hasattr(code, "input_handler") and hasattr(code, "output_handler")):
        raise NotImplementedError("Handlers are not implemented correctly in user script.")

    def both(data: Any, context: Context) -> Any:
        import requests

        response = requests.post(context.rest_uri, data=code.input_handler(data, context), timeout=_SECONDS)
        return code.output_handler(response, context)

    return both
