"""Splits objects into records, puts records into requests, and assembles answers to an object."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

_RECORDIO_MAGIC = 0xCED7230A
_RECORDIO_LENGTH = (1 << 29) - 1
_RECORDIO_HEAD = struct.Struct("<II")
_TFRECORD_HEAD = struct.Struct("<QI")
_TFRECORD_FOOT = 4
_LINE = b"\n"


class RecordError(ValueError):
    """An object is not in the format of its SplitType."""


@dataclass(frozen=True)
class Record:
    """A record, without and with the frame that the format puts around it."""

    content: bytes
    framed: bytes


def split(content: bytes, how: str) -> list[Record]:
    """Split an object into records; with the SplitType None it is one record."""
    return list(_SPLITS[how](content))


def batches(records: Sequence[Record], *, is_single: bool, limit: int) -> Iterator[list[Record]]:
    """The records of each request: one, or as many as a limit of bytes allows; 0 is no limit."""
    batch: list[Record] = []
    size = 0
    for record in records:
        length = len(record.framed)
        if limit and length > limit:
            raise RecordError(f"a record of {length} bytes is larger than the payload of {limit} bytes")
        if batch and (is_single or (limit and size + length > limit)):
            yield batch
            batch, size = [], 0
        batch.append(record)
        size += length
    if batch:
        yield batch


def payload(batch: Sequence[Record], *, is_single: bool) -> bytes:
    """The body of a request: a single record without its frame, or several with theirs."""
    return batch[0].content if is_single else b"".join(record.framed for record in batch)


def assembled(answers: Sequence[bytes], *, by_line: bool) -> bytes:
    """Join answers to one object, as lines if that is asked for."""
    if not by_line:
        return b"".join(answers)
    return b"".join(answer if answer.endswith(_LINE) else answer + _LINE for answer in answers)


def _whole(content: bytes) -> Iterator[Record]:
    yield Record(content, content)


def _lines(content: bytes) -> Iterator[Record]:
    """Each line that is not empty is a record."""
    for line in content.split(_LINE):
        if line.strip():
            yield Record(line, line + _LINE)


def _recordio(content: bytes) -> Iterator[Record]:
    """Records with a magic number and a length before them, padded to four bytes."""
    start = 0
    while start < len(content):
        magic, flags = _head(_RECORDIO_HEAD, content, start)
        if magic != _RECORDIO_MAGIC:
            raise RecordError("the object is not RecordIO")
        length, first = flags & _RECORDIO_LENGTH, start + _RECORDIO_HEAD.size
        end = first + length + (-length) % 4
        yield _framed(content, start, first, length, end)
        start = end


def _tfrecord(content: bytes) -> Iterator[Record]:
    """Records with a length before them, and checksums of both."""
    start = 0
    while start < len(content):
        length, _ = _head(_TFRECORD_HEAD, content, start)
        first = start + _TFRECORD_HEAD.size
        end = first + length + _TFRECORD_FOOT
        yield _framed(content, start, first, length, end)
        start = end


def _head(head: struct.Struct, content: bytes, start: int) -> tuple[int, int]:
    if start + head.size > len(content):
        raise RecordError("the object ends in the middle of a record")
    first, second = head.unpack_from(content, start)
    return first, second


def _framed(content: bytes, start: int, first: int, length: int, end: int) -> Record:
    if end > len(content):
        raise RecordError("the object ends in the middle of a record")
    return Record(content[first : first + length], content[start:end])


_SPLITS: Mapping[str, Callable[[bytes], Iterator[Record]]] = {
    "None": _whole,
    "Line": _lines,
    "RecordIO": _recordio,
    "TFRecord": _tfrecord,
}
