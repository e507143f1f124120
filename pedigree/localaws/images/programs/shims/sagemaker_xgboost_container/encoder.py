"""Requests to a model as a DMatrix, and answers as lines of JSON."""

from __future__ import annotations

import csv
import json
import logging
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

import numpy as np
import xgboost

from sagemaker_containers import _content_types, _errors
from sagemaker_xgboost_container.constants import xgb_content_types
from sagemaker_xgboost_container.data_readers import sparse
from sagemaker_xgboost_container.data_utils import NO_RECORDIO

_SAMPLE = 512


def csv_to_dmatrix(input: str | bytes, dtype: Any = None) -> xgboost.DMatrix:  # noqa: A002  # AWS's name
    """Rows of features, without labels; an empty field is a missing value."""
    text = input.decode() if isinstance(input, bytes) else input
    rows = text.split("\n")
    sniffed = csv.Sniffer().sniff(rows[0][:_SAMPLE]).delimiter
    delimiter = "," if sniffed.isalnum() else sniffed
    logging.info("Determined delimiter of CSV input is '%s'", delimiter)
    table = [[field or "nan" for field in row.split(delimiter)] for row in rows]
    return xgboost.DMatrix(np.array(table).astype(dtype or float))


def libsvm_to_dmatrix(string_like: str | bytes) -> xgboost.DMatrix:
    """Rows of `[label] index:value …`; indexes are columns as they stand, as in training."""
    text = string_like if isinstance(string_like, str) else bytes(string_like).decode()
    lines = text.strip().split("\n")
    return xgboost.DMatrix(sparse([" ".join(word for word in line.split() if ":" in word) for line in lines]))


def recordio_protobuf_to_dmatrix(string_like: bytes) -> NoReturn:
    """Refused: see the message."""
    raise ValueError(f"{NO_RECORDIO} ({len(string_like)} bytes)")


_DECODERS: dict[str, Callable[[Any], xgboost.DMatrix]] = {
    _content_types.CSV: csv_to_dmatrix,
    xgb_content_types.LIBSVM: libsvm_to_dmatrix,
    xgb_content_types.X_LIBSVM: libsvm_to_dmatrix,
    xgb_content_types.X_RECORDIO_PROTOBUF: recordio_protobuf_to_dmatrix,
}


def decode(obj: Any, content_type: str) -> xgboost.DMatrix:
    """A request as a DMatrix."""
    plain = content_type.partition(";")[0].strip()
    if plain not in _DECODERS:
        raise _errors.UnsupportedFormatError(plain)
    return _DECODERS[plain](obj)


def json_to_jsonlines(json_data: str | bytes | Mapping[str, Any]) -> bytes:
    """The items of the only list in a document, one a line."""
    document = json_data if isinstance(json_data, Mapping) else json.loads(json_data)
    if len(document) != 1:
        raise ValueError("JSON response is not compatible for conversion to jsonlines.")
    [items] = document.values()
    return "".join(f"{json.dumps(item)}\n" for item in items).encode()
