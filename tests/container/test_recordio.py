"""recordio-protobuf: what is written is read, and what protobuf and RecordIO allow besides is read, too."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_algorithms.recordio import ProtobufRecord, RecordIOError, Tensor, read_records, write_records

MAGIC = struct.pack("<I", 0xCED7230A)
# What the SDK's version 2 writes: a row of 32 bits with a label, one of 64 bits with an integer, and a sparse one.
OF_THE_SDK = bytes.fromhex(
    "0a23d7ce2c0000000a160a0676616c756573120c120a0a080000803f000020c012120a0676616c756573120812060a0400004040"
)
WITH_AN_INTEGER = bytes.fromhex(
    "0a23d7ce310000000a1e0a0676616c75657312141a120a10000000000000f03f00000000000004c0"
    "120f0a0676616c75657312053a030a0103000000"
)
SPARSE = bytes.fromhex(
    "0a23d7ce2e0000000a180a0676616c756573120e120c0a04000000401201021a010412120a0676616c756573120812060a04000040400000"
)
numbers = st.lists(st.floats(width=32, allow_nan=False), max_size=6)
places = st.lists(st.integers(0, 2**63), max_size=3).map(tuple)
tensors = st.builds(lambda values, keys, shape: (values, keys, shape), numbers, places, places)
tables = st.dictionaries(st.text(max_size=8), tensors, max_size=3)


def tensor(values: list[float], keys: tuple[int, ...] = (), shape: tuple[int, ...] = ()) -> Tensor:
    return Tensor(np.array(values, np.float32), keys, shape)


def plain(record: ProtobufRecord) -> list[dict[str, tuple[list[float], tuple[int, ...], tuple[int, ...]]]]:
    both = record.features, record.label
    return [{name: (one.values.tolist(), one.keys, one.shape) for name, one in table.items()} for table in both]


def framed(content: bytes, part: int = 0) -> bytes:
    return MAGIC + struct.pack("<I", part << 29 | len(content)) + content + b"\0" * (-len(content) % 4)


@given(st.lists(st.tuples(tables, tables), max_size=4))
def test_what_is_written_is_read(given_tables: list[tuple[dict, dict]]) -> None:  # type: ignore[type-arg]
    rows = [
        ProtobufRecord(*({name: tensor(*one) for name, one in table.items()} for table in pair))
        for pair in given_tables
    ]
    assert [plain(record) for record in read_records(write_records(rows))] == [list(pair) for pair in given_tables]


@given(st.binary(max_size=60))
def test_other_bytes_are_refused_or_read_and_never_a_crash(content: bytes) -> None:
    for candidate in (content, framed(content), MAGIC + content):
        try:
            found = list(read_records(candidate))
        except ValueError:
            continue
        assert all(isinstance(record, ProtobufRecord) for record in found)


@pytest.mark.parametrize(
    ("content", "features"),
    [
        (OF_THE_SDK, ([1.0, -2.5], (), ())),
        (WITH_AN_INTEGER, ([1.0, -2.5], (), ())),
        (SPARSE, ([2.0], (2,), (4,))),
    ],
)
def test_rows_of_the_sdk_are_read(content: bytes, features: object) -> None:
    (record,) = read_records(content)
    assert plain(record) == [{"values": features}, {"values": ([3.0], (), ())}]


@pytest.mark.parametrize("content", [OF_THE_SDK, SPARSE])
def test_rows_are_written_as_the_sdk_writes_them(content: bytes) -> None:
    assert write_records(read_records(content)) == content


@pytest.mark.parametrize(
    ("kind", "content", "values"),
    [
        (2, b"\x0d" + struct.pack("<f", 1.5) + b"\x0d" + struct.pack("<f", 2), [1.5, 2.0]),  # one by one
        (3, b"\x0a\x10" + struct.pack("<2d", 0.1, 2), [0.1, 2.0]),
        (7, b"\x0a\x0b" + b"\x05" + b"\xff" * 9 + b"\x01", [5, -1]),
        (7, b"\x08\x05", [5]),
    ],
)
def test_numbers_of_all_types_are_read(kind: int, content: bytes, values: list[float]) -> None:
    value = bytes([kind << 3 | 2, len(content)]) + content
    entry = b"\x0a\x06values\x12" + bytes([len(value)]) + value
    (record,) = read_records(framed(b"\x0a" + bytes([len(entry)]) + entry))
    assert record.features["values"].values.tolist() == values


def test_a_record_that_has_the_magic_number_in_it_is_joined_from_its_parts() -> None:
    number = float(np.frombuffer(MAGIC, "<f4")[0])
    whole = write_records([ProtobufRecord({"values": tensor([number, 2])})])[8:]
    before, after = whole.split(MAGIC)
    (record,) = read_records(framed(before, 1) + framed(after, 3))
    assert record.features["values"].values.tolist() == [number, 2]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"1,2,3\n4,5,6\n", "does not begin with RecordIO's magic number"),
        (OF_THE_SDK[:-6], "the last record is cut off"),
        (framed(b"", 1), "the last record is cut off"),
        (framed(b"\x0a\x20abc"), "a field is cut off"),
        (framed(b"\x0b"), "there is no wire type 3"),
    ],
)
def test_what_is_no_record_is_refused(content: bytes, words: str) -> None:
    with pytest.raises(RecordIOError, match=words):
        list(read_records(content))
