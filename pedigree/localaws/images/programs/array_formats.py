"""Arrays as requests and answers have them: JSON, CSV and NPY, the formats that AWS's toolkits know without code."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np

JSON, CSV, NPY = "application/json", "text/csv", "application/x-npy"
TYPES = (JSON, CSV, NPY)


class UnsupportedTypeError(ValueError):
    """A content type that only the model's own code could read or write."""

    status_code = 415

    def __init__(self, content_type: str, function: str) -> None:
        own = f"the model's code has no {function} of its own for it"
        super().__init__(f"{content_type} is not one of {', '.join(TYPES)}, and {own}")


def decoded(body: bytes, content_type: str) -> Any:
    """An array of JSON, CSV or NPY."""
    kind = plain_type(content_type)
    if kind == JSON:
        return np.array(json.loads(body))
    if kind == CSV:
        return np.genfromtxt(io.StringIO(body.decode()), delimiter=",")
    if kind == NPY:
        return np.load(io.BytesIO(body), allow_pickle=False)
    raise UnsupportedTypeError(content_type, "input_fn")


def encoded(prediction: Any, kind: str) -> bytes:
    """A prediction as JSON, CSV or NPY."""
    if kind == JSON:
        return json.dumps(prediction, default=_listed).encode()
    buffer = io.BytesIO()
    if kind == CSV:
        np.savetxt(buffer, np.atleast_1d(np.asarray(prediction)), delimiter=",", fmt="%s")
    else:
        np.save(buffer, np.asarray(prediction), allow_pickle=False)
    return buffer.getvalue()


def _listed(value: Any) -> Any:
    """Convert what JSON cannot represent: arrays, their numbers, and tensors."""
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")


def plain_type(content_type: str) -> str:
    """A type without its parameters."""
    return content_type.partition(";")[0].strip().lower()


def accepted(prediction: Any, accept: str) -> tuple[bytes, str]:
    """A prediction in the first accepted type that is supported."""
    for name in accept.split(","):
        kind = JSON if plain_type(name) in ("*/*", "application/*", "") else plain_type(name)
        if kind in TYPES:
            return encoded(prediction, kind), kind
    raise UnsupportedTypeError(accept, "output_fn")
