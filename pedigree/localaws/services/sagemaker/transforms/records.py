"""Records: how an object is cut into them, how many make a request, and how answers become an object again."""

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
    """An object that is not made of the records that it is said to be made of."""


@dataclass(frozen=True)
class Record:
    """One record, and the same with what the format puts around it."""

    content: bytes
    framed: bytes


def split(content: bytes, how: str) -> list[Record]:
    """The records of an object; without a way to split it, it is one."""
    return list(_SPLITS[how](content))


def batches(records: Sequence[Record], *, is_single: bool, limit: int) -> Iterator[list[Record]]:
    """The records of each request: one, or as many as the limit of bytes lets in; no limit is 0."""
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
    """What a request carries: a single record without its frame, several with theirs."""
    return batch[0].content if is_single else b"".join(one.framed for one in batch)


def assembled(answers: Sequence[bytes], *, by_line: bool) -> bytes:
    """Answers as one object; by line, each of them ends its own."""
    if not by_line:
        return b"".join(answers)
    return b"".join(one if one.endswith(_LINE) else one + _LINE for one in answers)


def _whole(content: bytes) -> Iterator[Record]:
    yield Record(content, content)


def _lines(content: bytes) -> Iterator[Record]:
    """Lines that are not empty."""
    for line in content.split(_LINE):
        if line.strip():
            yield Record(line, line + _LINE)


def _recordio(content: bytes) -> Iterator[Record]:
    """Pieces with a magic number and a length, filled up to four bytes."""
    start = 0
    while start < len(content):
        magic, told = _head(_RECORDIO_HEAD, content, start)
        if magic != _RECORDIO_MAGIC:
            raise RecordError("the object is no RecordIO")
        length, first = told & _RECORDIO_LENGTH, start + _RECORDIO_HEAD.size
        end = first + length + (-length) % 4
        yield _framed(content, start, first, length, end)
        start = end


def _tfrecord(content: bytes) -> Iterator[Record]:
    """Pieces with a length before them, and checksums of both."""
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
