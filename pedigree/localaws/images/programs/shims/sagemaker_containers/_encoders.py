"""Arrays as JSON, CSV and NPY, and back."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

from sagemaker_containers import _content_types, _errors


def array_to_npy(array_like: Any) -> bytes:
    """An array as NPY."""
    buffer = io.BytesIO()
    np.save(buffer, array_like, allow_pickle=False)
    return buffer.getvalue()


def npy_to_numpy(npy_array: bytes) -> Any:
    """An array of NPY."""
    return np.load(io.BytesIO(npy_array), allow_pickle=False)


def array_to_json(array_like: Any) -> str:
    """Anything with arrays in it as JSON."""
    return json.dumps(array_like, default=_listed)


def _listed(value: Any) -> Any:
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")


def json_to_numpy(string_like: str | bytes, dtype: Any = None) -> Any:
    """An array of JSON."""
    return np.array(json.loads(string_like), dtype=dtype)


def csv_to_numpy(string_like: str | bytes, dtype: Any = None) -> Any:
    """An array of CSV; of texts, unless a type is given."""
    text = string_like if isinstance(string_like, str) else string_like.decode()
    array = np.array(list(csv.reader(io.StringIO(text), strict=True))).squeeze()
    try:
        return array.astype(dtype)
    except ValueError as error:
        if dtype is None:
            return array
        raise _errors.ClientError(f"Error while writing numpy array: {error}. dtype is: {dtype}") from error


def array_to_csv(array_like: Any) -> str:
    """An array as CSV; one of numbers has a line for each."""
    array = np.array(array_like)
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows(array.reshape(-1, 1) if array.ndim == 1 else array)
    return stream.getvalue()


def array_to_recordio_protobuf(array_like: Any, labels: Any = None) -> NoReturn:
    """Refused: see the message."""
    raise _errors.ClientError(f"the local AWS writes no recordio-protobuf ({type(array_like)}, {type(labels)})")


_ENCODERS = {_content_types.NPY: array_to_npy, _content_types.CSV: array_to_csv, _content_types.JSON: array_to_json}
_DECODERS: dict[str, Callable[[Any], Any]] = {
    _content_types.NPY: npy_to_numpy,
    _content_types.CSV: csv_to_numpy,
    _content_types.JSON: json_to_numpy,
}


def decode(obj: Any, content_type: str) -> Any:
    """An array of a request."""
    if content_type not in _DECODERS:
        raise _errors.UnsupportedFormatError(content_type)
    return _DECODERS[content_type](obj)


def encode(array_like: Any, content_type: str) -> Any:
    """An array as an answer."""
    if content_type not in _ENCODERS:
        raise _errors.UnsupportedFormatError(content_type)
    return _ENCODERS[content_type](array_like)
