"""application/x-recordio-protobuf: records in frames of RecordIO, each a message Record of SageMaker's protobuf.

Of a Record only features and label are read, which are all that tables need. Of the proto these parts matter:

    Record  {map<string, Value> features = 1; map<string, Value> label = 2; …}
    Value   {Float32Tensor = 2 | Float64Tensor = 3 | Int32Tensor = 7}
    Tensor  {repeated values = 1; repeated uint64 keys = 2; repeated uint64 shape = 3}
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

_MAGIC = 0xCED7230A
_HEAD = struct.Struct("<II")
_LENGTH_BITS = 29
_WHOLE, _LAST = 0, 3  # 1 is the first and 2 a middle part of a record that is split
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_TYPES: Mapping[int, Any] = {2: np.dtype("<f4"), 3: np.dtype("<f8"), 7: np.dtype("<i4")}


class RecordIOError(ValueError):
    """The bytes are no records."""


@dataclass(frozen=True)
class Tensor:
    """Values; those of a sparse vector have the keys of their places, and the shape of the whole."""

    values: Any
    keys: tuple[int, ...] = ()
    shape: tuple[int, ...] = ()


@dataclass(frozen=True)
class ProtobufRecord:
    """One row."""

    features: Mapping[str, Tensor] = field(default_factory=dict)
    label: Mapping[str, Tensor] = field(default_factory=dict)


def read_records(content: bytes) -> Iterator[ProtobufRecord]:
    """The records of a file or a request."""
    for frame in _frames(content):
        tables: dict[int, dict[str, Tensor]] = {1: {}, 2: {}}
        for number, value in _fields(frame):
            if number in tables:
                name, tensor = _entry(_message(value))
                tables[number][name] = tensor
        yield ProtobufRecord(tables[1], tables[2])


def write_records(records: Iterable[ProtobufRecord]) -> bytes:
    """The bytes of records, with values of 32 bits."""
    return b"".join(_framed(_record(record)) for record in records)


def _frames(content: bytes) -> Iterator[bytes]:
    position, parts = 0, []
    while position < len(content):
        if len(content) - position < _HEAD.size:
            raise RecordIOError("the last record is cut off")
        magic, word = _HEAD.unpack_from(content, position)
        if magic != _MAGIC:
            raise RecordIOError("a record does not begin with RecordIO's magic number")
        part, length = word >> _LENGTH_BITS, word & ((1 << _LENGTH_BITS) - 1)
        position += _HEAD.size
        if position + length > len(content):
            raise RecordIOError("the last record is cut off")
        parts.append(content[position : position + length])
        position += length + (-length % 4)
        if part in (_WHOLE, _LAST):
            # A record is split where the magic number was in it.
            yield struct.pack("<I", _MAGIC).join(parts)
            parts = []
    if parts:
        raise RecordIOError("the last record is cut off")


def _framed(content: bytes) -> bytes:
    return _HEAD.pack(_MAGIC, len(content)) + content + b"\0" * (-len(content) % 4)


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """The numbers and values of a message's fields."""
    position = 0
    while position < len(message):
        tag, position = _varint(message, position)
        kind = tag & 7
        if kind == _VARINT:
            number, position = _varint(message, position)
            yield tag >> 3, number
            continue
        if kind == _BYTES:
            length, position = _varint(message, position)
        elif kind in (_FIXED32, _FIXED64):
            length = 4 if kind == _FIXED32 else 8
        else:
            raise RecordIOError(f"a record is no message of protobuf: there is no wire type {kind}")
        if position + length > len(message):
            raise RecordIOError("a record is no message of protobuf: a field is cut off")
        yield tag >> 3, message[position : position + length]
        position += length


def _varint(message: bytes, position: int) -> tuple[int, int]:
    """A number of variable length, and the position after it."""
    value = 0
    for shift in range(0, 70, 7):
        if position >= len(message):
            break
        byte = message[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
    raise RecordIOError("a record is no message of protobuf: a number is cut off")


def _message(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise RecordIOError("a record is no message of protobuf: a number stands where a message should")
    return value


def _entry(message: bytes) -> tuple[str, Tensor]:
    """An entry of a map: a name and a tensor."""
    name, tensor = "", Tensor(np.empty(0, np.float32))
    for number, value in _fields(message):
        if number == 1:
            name = _message(value).decode()
        elif number == 2:
            for kind, content in _fields(_message(value)):
                if kind not in _TYPES:
                    raise RecordIOError("only tensors of numbers are read")
                tensor = _tensor(_message(content), _TYPES[kind])
    return name, tensor


def _tensor(message: bytes, kind: Any) -> Tensor:
    values: list[Any] = []
    numbers: dict[int, list[int]] = {2: [], 3: []}
    for number, value in _fields(message):
        if number == 1 and isinstance(value, bytes) and kind.kind == "f":
            values.append(_floats(value, kind))
        elif number == 1:
            signed = [(number & 0xFFFFFFFF) for number in _numbers(value)]
            values.append(np.array(signed, np.uint32).view(np.int32))
        elif number in numbers:
            numbers[number] += _numbers(value)
    return Tensor(np.concatenate(values) if values else np.empty(0, kind), tuple(numbers[2]), tuple(numbers[3]))


def _floats(value: bytes, kind: Any) -> Any:
    if len(value) % kind.itemsize:
        raise RecordIOError("a record is no message of protobuf: a number is cut off")
    return np.frombuffer(value, kind)


def _numbers(value: int | bytes) -> list[int]:
    """Numbers one by one, or packed."""
    if isinstance(value, int):
        return [value]
    found, position = [], 0
    while position < len(value):
        number, position = _varint(value, position)
        found.append(number)
    return found


def _record(record: ProtobufRecord) -> bytes:
    parts = []
    for number, table in ((1, record.features), (2, record.label)):
        for name, tensor in table.items():
            entry = _field(1, name.encode()) + _field(2, _field(2, _packed(tensor)))
            parts.append(_field(number, entry))
    return b"".join(parts)


def _packed(tensor: Tensor) -> bytes:
    written = _field(1, np.asarray(tensor.values, "<f4").tobytes())
    for number, values in ((2, tensor.keys), (3, tensor.shape)):
        if values:
            written += _field(number, b"".join(map(_written, values)))
    return written


def _field(number: int, content: bytes) -> bytes:
    return _written(number << 3 | _BYTES) + _written(len(content)) + content


def _written(number: int) -> bytes:
    """A number of variable length."""
    parts = []
    while number > 0x7F:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*parts, number])
