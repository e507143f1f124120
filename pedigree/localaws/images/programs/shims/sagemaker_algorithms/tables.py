"""Rows of numbers, and their labels: read from the files of channels and from requests."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sagemaker_algorithm_toolkit.exceptions import UserError
from sagemaker_algorithms.recordio import ProtobufRecord, RecordIOError, Tensor, read_records

CSV, RECORDS = "text/csv", "application/x-recordio-protobuf"
JSON, JSON_LINES = "application/json", "application/jsonlines"


class UnknownTypeError(Exception):
    """A content type that no request may have."""


@dataclass(frozen=True)
class Table:
    """Features, a row each, and their labels if they have any."""

    features: Any
    labels: Any = None

    def __len__(self) -> int:
        return len(self.features)


def read_channel(folder: Path, content_type: str) -> Table:
    """All files of a channel, one after the other. CSV has one label, in front, if its label_size does not say 0."""
    kind, parameters = parsed_type(content_type or RECORDS)
    if kind not in (CSV, RECORDS):
        raise UserError(
            f"Content-type {content_type} of channel '{folder.name}' is not supported: {CSV} and {RECORDS} are"
        )
    tables = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        try:
            tables.append(_read(path.read_bytes(), kind, int(parameters.get("label_size", 1))))
        except ValueError as error:
            words = (
                f"Unable to read data channel '{folder.name}'. Requested content-type is '{content_type or RECORDS}'."
            )
            raise UserError(f"{words} {path.name}: {error}") from error
    tables = [table for table in tables if len(table)]
    if not tables:
        raise UserError(f"There is no data in the channel '{folder.name}'")
    return _joined(tables, folder.name)


def read_request(body: bytes, content_type: str) -> Any:
    """The features of a request; ValueError if it has another form than its type says."""
    kind, parameters = parsed_type(content_type)
    if kind in (CSV, RECORDS):
        return _read(body, kind, int(parameters.get("label_size", 0))).features
    readers: Mapping[str, Callable[[], Iterable[Any]]] = {
        JSON: lambda: json.loads(body)["instances"],
        JSON_LINES: lambda: map(json.loads, filter(str.strip, body.decode().splitlines())),
    }
    if kind not in readers:
        raise UnknownTypeError(content_type)
    try:
        return _stacked([_vector(_json_tensor(instance)) for instance in readers[kind]()])
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"no instances with features: {error}") from error


def parsed_type(content_type: str) -> tuple[str, Mapping[str, str]]:
    """A content type, and its parameters."""
    kind, *rest = (part.strip() for part in content_type.split(";"))
    pairs = (part.partition("=") for part in rest)
    return kind.lower(), {name.strip().lower(): value.strip() for name, _, value in pairs}


def _read(content: bytes, kind: str, label_size: int) -> Table:
    if kind == RECORDS:
        return _of_records(list(read_records(content)))
    if not content.strip():
        return Table(np.empty((0, 0)))
    rows = np.loadtxt(io.StringIO(content.decode("utf-8-sig")), delimiter=",", ndmin=2)
    if label_size not in (0, 1):
        raise ValueError(f"label_size is {label_size}, and not 0 or 1")
    return Table(rows[:, 1:], rows[:, 0]) if label_size else Table(rows)


def _of_records(records: Sequence[ProtobufRecord]) -> Table:
    if not records:
        return Table(np.empty((0, 0)))
    features = _stacked([_vector(_values(record.features)) for record in records])
    if not all(record.label for record in records):
        return Table(features)
    labels = [_values(record.label).values for record in records]
    if any(len(label) != 1 for label in labels):
        raise RecordIOError("a record has not one label")
    return Table(features, np.concatenate(labels).astype(float))


def _values(tensors: Mapping[str, Tensor]) -> Tensor:
    if "values" not in tensors:
        raise RecordIOError("a record has no 'values'")
    return tensors["values"]


def _json_tensor(instance: Any) -> Tensor:
    """An instance in any of the forms of AWS's common data formats."""
    given = instance.get("data", instance)["features"]
    if isinstance(given, list):
        return Tensor(np.asarray(given, float))
    keys, shape = given.get("keys") or (), given.get("shape") or ()
    return Tensor(np.asarray(given["values"], float), tuple(map(int, keys)), tuple(map(int, np.ravel(shape))))


def _vector(tensor: Tensor) -> Any:
    """The values of a vector; those that a sparse one leaves out are 0."""
    if not tensor.keys:
        return np.asarray(tensor.values, float)
    width = int(np.prod(tensor.shape)) if tensor.shape else max(tensor.keys) + 1
    if max(tensor.keys) >= width or len(tensor.keys) != len(tensor.values):
        raise RecordIOError("the keys of a sparse vector do not fit its shape and its values")
    vector = np.zeros(width)
    vector[list(tensor.keys)] = tensor.values
    return vector


def _stacked(vectors: Sequence[Any]) -> Any:
    if len({vector.shape for vector in vectors}) > 1:
        raise RecordIOError("rows have different numbers of features")
    return np.stack(vectors) if vectors else np.empty((0, 0))


def _joined(tables: Sequence[Table], channel: str) -> Table:
    widths = sorted({table.features.shape[1] for table in tables})
    if len(widths) > 1:
        raise UserError(f"The files of the channel '{channel}' have different numbers of features: {widths}")
    features = np.concatenate([table.features for table in tables])
    if any(table.labels is None for table in tables):
        return Table(features)
    return Table(features, np.concatenate([table.labels for table in tables]))
