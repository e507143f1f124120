"""Batch transform: records and requests, filters of input and output, and where results lie."""

from __future__ import annotations

import json
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pedigree.localaws.services.s3.catalog import S3Location
from pedigree.localaws.services.s3.manifests import parse_manifest
from pedigree.localaws.services.sagemaker.transforms import data_processing as filters
from pedigree.localaws.services.sagemaker.transforms.jsonpath import PathError, compiled
from pedigree.localaws.services.sagemaker.transforms.plans import below, plan
from pedigree.localaws.services.sagemaker.transforms.records import RecordError, assembled, batches, payload, split
from tests.support.transform_jobs import JOB


def requests(content: bytes, how: str, *, is_single: bool = False, limit: int = 0) -> list[bytes]:
    found = batches(split(content, how), is_single=is_single, limit=limit)
    return [payload(batch, is_single=is_single) for batch in found]


def recordio(*contents: bytes) -> bytes:
    return b"".join(
        struct.pack("<II", 0xCED7230A, len(content)) + content + bytes(-len(content) % 4) for content in contents
    )


def tfrecord(*contents: bytes) -> bytes:
    return b"".join(struct.pack("<QI", len(content), 0) + content + bytes(4) for content in contents)


def test_an_object_that_is_not_split_is_one_request() -> None:
    assert requests(b"a\nb\n", "None") == [b"a\nb\n"]


def test_lines_go_one_by_one_or_as_many_as_fit() -> None:
    assert requests(b"a\nbb\n\nc", "Line", is_single=True) == [b"a", b"bb", b"c"]
    assert requests(b"a\nbb\n\nc", "Line") == [b"a\nbb\nc\n"]
    assert requests(b"a\nbb\nc", "Line", limit=5) == [b"a\nbb\n", b"c\n"]


@pytest.mark.parametrize(("how", "write"), [("RecordIO", recordio), ("TFRecord", tfrecord)])
def test_a_single_binary_record_is_sent_without_its_frame(how: str, write: Any) -> None:
    content = write(b"abc", b"defgh")
    assert requests(content, how, is_single=True) == [b"abc", b"defgh"]
    assert requests(content, how) == [content]
    with pytest.raises(RecordError):
        split(content[:-1], how)


def test_an_object_that_is_not_recordio_is_an_error() -> None:
    with pytest.raises(RecordError, match="not RecordIO"):
        split(bytes(8), "RecordIO")


def test_a_record_that_fits_into_no_request_is_an_error() -> None:
    with pytest.raises(RecordError, match="a record of 6 bytes is larger"):
        requests(b"abcde\n", "Line", limit=5)


@given(st.lists(st.binary(min_size=1).filter(lambda line: b"\n" not in line and line.strip())), st.integers(300, 900))
def test_no_record_is_lost_and_no_request_too_large(lines: list[bytes], limit: int) -> None:
    made = requests(b"\n".join(lines), "Line", limit=limit)
    assert b"".join(made) == b"".join(line + b"\n" for line in lines)
    assert all(len(batch) <= limit for batch in made)


def test_answers_are_put_together_by_line_or_end_to_end() -> None:
    assert assembled([b"a", b"b\n"], by_line=True) == b"a\nb\n"
    assert assembled([b"a", b"b\n"], by_line=False) == b"ab\n"


RECORD = {"id": 7, "features": [1, 2, 3], "deep": {"a": {"b": 5}}}


@pytest.mark.parametrize(
    ("path", "record", "chosen"),
    [
        ("$", RECORD, RECORD),
        ("$.features", RECORD, [1, 2, 3]),
        ("$['id','features']", RECORD, {"id": 7, "features": [1, 2, 3]}),
        ("$.deep['a'].b", RECORD, 5),
        ("$[1:]", ["a", "b", "c"], ["b", "c"]),
        ("$[0,2]", ["a", "b", "c"], ["a", "c"]),
        ("$[-1]", ["a", "b", "c"], "c"),
        ("$[:-1]", ["a", "b", "c"], ["a", "b"]),
        ("$.deep.*", RECORD, [{"b": 5}]),
    ],
)
def test_a_path_chooses_of_a_record(path: str, record: Any, chosen: Any) -> None:
    assert compiled(path)(record) == chosen


@pytest.mark.parametrize("path", ["features", "$[", "$.", "$[a]", "$..b", "$[1:2:3]"])
def test_a_malformed_path_is_an_error(path: str) -> None:
    with pytest.raises(PathError, match=r"\$"):
        compiled(path)


@pytest.mark.parametrize("path", ["$.missing", "$[0]", "$.features[9]", "$.id.more"])
def test_a_path_that_a_record_lacks_is_an_error(path: str) -> None:
    with pytest.raises(PathError, match="a record has nothing"):
        compiled(path)(RECORD)


def test_json_gets_the_answer_as_a_member() -> None:
    options = {"InputFilter": "$.features", "JoinSource": "Input", "OutputFilter": "$['id','SageMakerOutput']"}
    made = filters.processing(options, "application/json")
    assert made.model_input(json.dumps(RECORD).encode()) == b"[1, 2, 3]"
    assert json.loads(made.result(json.dumps(RECORD).encode(), b'{"breed": 1}')) == {
        "id": 7,
        "SageMakerOutput": {"breed": 1},
    }
    listed = filters.processing({"JoinSource": "Input"}, "application/jsonlines; charset=utf-8")
    assert json.loads(listed.result(b"[1]", b"2")) == {"SageMakerInput": [1], "SageMakerOutput": 2}


def test_a_row_gets_the_answer_as_columns() -> None:
    made = filters.processing({"InputFilter": "$[1:]", "JoinSource": "Input", "OutputFilter": "$[0,-1]"}, "text/csv")
    assert made.model_input(b'7,"a, b",2') == b'"a, b",2'
    assert made.result(b'7,"a, b",2', b"0.5,1") == b"7,1"


def test_each_record_has_an_answer() -> None:
    made = filters.processing({"JoinSource": "Input"}, "application/json")
    assert made.answers([b"1", b"2"], b"[3, 4]") == [b"3", b"4"]
    assert made.answers([b"1", b"2"], b"3\n4\n") == [b"3", b"4"]
    with pytest.raises(filters.JoinError, match="1 answers to 2 records"):
        made.answers([b"1", b"2"], b"[3]")


@pytest.mark.parametrize(
    ("key", "prefix", "rest"),
    [
        ("in/a/b.csv", "in/", "a/b.csv"),
        ("in/a/b.csv", "in", "a/b.csv"),
        ("in/a.csv", "in/a.csv", "a.csv"),
        ("in/data-1.csv", "in/data", "data-1.csv"),
        ("a.csv", "", "a.csv"),
    ],
)
def test_results_lie_as_their_objects_do(key: str, prefix: str, rest: str) -> None:
    assert below(key, prefix) == rest
    assert plan(JOB).target_of(key, prefix) == S3Location("bucket", f"out/{rest}.out")


def test_the_model_of_a_transform_job_is_told_so() -> None:
    assert plan(JOB).environment == {"SAGEMAKER_BATCH": "true"}
    assert plan({**JOB, "Environment": {"FACTOR": "2"}}).environment == {"SAGEMAKER_BATCH": "true", "FACTOR": "2"}


def test_a_manifest_lists_objects() -> None:
    listed = list(parse_manifest(b'[{"prefix": "s3://other/some/"}, "a.csv", "b/c.csv"]'))
    assert [str(place) for place, _ in listed] == ["s3://other/some/a.csv", "s3://other/some/b/c.csv"]
    with pytest.raises(ValueError, match="manifest"):
        list(parse_manifest(b'["a.csv"]'))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"BatchStrategy": "MultiRecord"}, "SplitType must be specified"),
        ({"MaxConcurrentTransforms": 20, "MaxPayloadInMB": 6}, "cannot exceed 100 MB"),
        ({"DataProcessing": {"InputFilter": "features"}}, "does not begin with"),
        (
            {
                "DataProcessing": {"JoinSource": "Input"},
                "TransformOutput": {"S3OutputPath": "s3://bucket/out", "AssembleWith": "Line"},
            },
            "must match",
        ),
        (
            {
                "TransformInput": {**JOB["TransformInput"], "ContentType": "text/csv"},
                "DataProcessing": {"InputFilter": "$[1:]"},
            },
            "split by Line",
        ),
        ({"TransformOutput": {"S3OutputPath": "https://bucket"}}, "is not an S3 URI"),
    ],
)
def test_an_impossible_job_is_refused_at_once(change: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        plan({**JOB, **change})
