"""Requests and answers of a model: CSV, JSON, JSON lines and recordio-protobuf, both ways."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sagemaker_algorithms import models, tables
from sagemaker_algorithms.algorithm import Algorithm, Model, Row
from sagemaker_algorithms.catalog import chosen
from sagemaker_algorithms.recordio import ProtobufRecord, Tensor, write_records

_TYPES = (tables.JSON, tables.JSON_LINES, tables.CSV, tables.RECORDS)
_ANY = ("", "*/*", "application/*")
_BAD_REQUEST, _NOT_ACCEPTABLE, _UNSUPPORTED = 400, 406, 415


class PayloadError(Exception):
    """An answer that is an error, with its status."""

    def __init__(self, status_code: int, message: str) -> None:
        super().__init__(message)
        self.status_code = status_code


@dataclass(frozen=True)
class ServedModel:
    """A model, and the algorithm that it is of."""

    algorithm: Algorithm
    model: Model

    @classmethod
    def read(cls, folder: Path) -> ServedModel:
        """The model in a folder."""
        return cls(chosen(), models.load(folder))


def parsed(body: bytes, content_type: str) -> Any:
    """The features of a request."""
    try:
        features = tables.read_request(body, content_type)
    except tables.UnknownTypeError:
        raise PayloadError(
            _UNSUPPORTED, f"Content-type {content_type} not supported: {', '.join(_TYPES)} are"
        ) from None
    except ValueError as error:
        raise PayloadError(_BAD_REQUEST, f"unable to evaluate payload provided: {error}") from error
    if not len(features):
        raise PayloadError(_BAD_REQUEST, "unable to evaluate payload provided: it has no rows")
    return features


def answered(predictor: ServedModel, features: Any, accept: str) -> tuple[bytes, str]:
    """The answer for some features, and its content type."""
    kind, parameters = tables.parsed_type(accept.partition(",")[0])
    kind = tables.JSON if kind in _ANY else kind
    if kind not in _TYPES:
        raise PayloadError(_NOT_ACCEPTABLE, f"Accept type {accept} not supported: {', '.join(_TYPES)} are")
    try:
        rows = predictor.algorithm.predict(predictor.model, features, parameters.get("verbose") == "true")
    except ValueError as error:
        raise PayloadError(_BAD_REQUEST, f"unable to evaluate payload provided: {error}") from error
    return _written(rows, kind, predictor.algorithm.answers), kind


def _written(rows: Sequence[Row], kind: str, name: str) -> bytes:
    if kind == tables.RECORDS:
        return write_records(
            ProtobufRecord(label={key: Tensor(np.atleast_1d(value)) for key, value in row.items()}) for row in rows
        )
    if kind == tables.CSV:
        return "".join(",".join(repr(float(v)) for v in _flat(row)) + "\n" for row in rows).encode()
    if kind == tables.JSON_LINES:
        return "".join(json.dumps(row) + "\n" for row in rows).encode()
    return json.dumps({name: list(rows)}).encode()


def _flat(row: Row) -> Any:
    return np.concatenate([np.atleast_1d(value) for value in row.values()])
