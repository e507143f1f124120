"""Conditional requests: writes, copies, deletions and reads that depend on what is there at that moment."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeAlias

import pytest
from botocore.exceptions import ClientError

from tests.pedigree.localaws.services.s3.conftest import LocalS3

Write: TypeAlias = Callable[..., Any]
OTHER = '"00000000000000000000000000000000"'


def outcome(call: Callable[[], Any]) -> str:
    """The error code of a call, or nothing."""
    try:
        call()
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return ""


def put(s3: Any, **condition: str) -> Any:
    return s3.put_object(Bucket="bucket", Key="a", Body=b"new", **condition)


def copy(s3: Any, **condition: str) -> Any:
    s3.put_object(Bucket="bucket", Key="source", Body=b"new")
    return s3.copy_object(Bucket="bucket", Key="a", CopySource="bucket/source", **condition)


def complete(s3: Any, **condition: str) -> Any:
    place = {"Bucket": "bucket", "Key": "a"}
    upload = s3.create_multipart_upload(**place)["UploadId"]
    etag = s3.upload_part(**place, UploadId=upload, PartNumber=1, Body=b"new")["ETag"]
    parts = {"Parts": [{"PartNumber": 1, "ETag": etag}]}
    return s3.complete_multipart_upload(**place, UploadId=upload, MultipartUpload=parts, **condition)


WRITES = pytest.mark.parametrize("write", [put, copy, complete])


@WRITES
def test_if_none_match_writes_only_a_new_object(s3: Any, local_s3: LocalS3, write: Write) -> None:
    assert outcome(lambda: write(s3, IfNoneMatch="*")) == ""
    s3.put_object(Bucket="bucket", Key="a", Body=b"old")
    assert outcome(lambda: write(s3, IfNoneMatch="*")) == "PreconditionFailed"
    assert local_s3.content("a") == b"old"


@WRITES
def test_if_match_writes_only_over_the_object_that_is_meant(s3: Any, local_s3: LocalS3, write: Write) -> None:
    etag = s3.put_object(Bucket="bucket", Key="a", Body=b"old")["ETag"]
    assert outcome(lambda: write(s3, IfMatch=OTHER)) == "PreconditionFailed"
    assert local_s3.content("a") == b"old"
    assert outcome(lambda: write(s3, IfMatch=etag)) == ""
    assert local_s3.content("a") == b"new"


@WRITES
def test_if_match_without_an_object_finds_none(s3: Any, write: Write) -> None:
    assert outcome(lambda: write(s3, IfMatch=OTHER)) == "NoSuchKey"


def test_only_a_star_can_be_the_absent_etag(s3: Any) -> None:
    assert outcome(lambda: put(s3, IfNoneMatch=OTHER)) == "NotImplemented"


def test_of_many_writers_of_a_new_object_exactly_one_wins(s3: Any, local_s3: LocalS3) -> None:
    def write(number: int) -> str:
        return outcome(lambda: s3.put_object(Bucket="bucket", Key="a", Body=b"%d" % number, IfNoneMatch="*"))

    with ThreadPoolExecutor(16) as pool:
        outcomes = list(pool.map(write, range(48)))
    assert sorted(outcomes) == ["", *["PreconditionFailed"] * 47]
    assert local_s3.content("a") == b"%d" % outcomes.index("")


def test_a_condition_is_decided_when_the_object_is_written_and_not_only_when_its_head_came(
    s3: Any, local_s3: LocalS3
) -> None:
    etag = s3.put_object(Bucket="bucket", Key="a", Body=b"old")["ETag"]

    def delete() -> None:
        s3.delete_object(Bucket="bucket", Key="a")

    def create() -> None:
        s3.put_object(Bucket="bucket", Key="a", Body=b"other")

    deleted = local_s3.send_slowly("/bucket/a", b"new", {"If-Match": etag}, delete)
    assert (b"409" in deleted, b"ConditionalRequestConflict" in deleted) == (True, True)
    assert b"PreconditionFailed" in local_s3.send_slowly("/bucket/a", b"new", {"If-None-Match": "*"}, create)
    assert local_s3.content("a") == b"other"


def test_a_counter_that_many_writers_raise_by_if_match_loses_nothing(s3: Any, local_s3: LocalS3) -> None:
    s3.put_object(Bucket="bucket", Key="a", Body=b"0")

    def raise_by_one(_: int) -> None:
        while True:
            found = s3.get_object(Bucket="bucket", Key="a")
            number = int(found["Body"].read())
            body = b"%d" % (number + 1)
            if not outcome(
                lambda body=body, etag=found["ETag"]: s3.put_object(  # type: ignore[misc]
                    Bucket="bucket", Key="a", Body=body, IfMatch=etag
                )
            ):
                return

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(raise_by_one, range(24)))
    assert local_s3.content("a") == b"24"


def test_a_conditional_deletion_removes_only_the_object_that_is_meant(s3: Any, local_s3: LocalS3) -> None:
    etag = s3.put_object(Bucket="bucket", Key="a", Body=b"old")["ETag"]

    def delete(match: str) -> str:
        return outcome(lambda: s3.delete_object(Bucket="bucket", Key="a", IfMatch=match))

    assert (delete(OTHER), local_s3.keys()) == ("PreconditionFailed", ["a"])
    assert (delete(etag), local_s3.keys()) == ("", [])
    assert delete("*") == "NoSuchKey"


def test_of_several_deletions_those_whose_condition_fails_are_listed(s3: Any, local_s3: LocalS3) -> None:
    etags = {key: s3.put_object(Bucket="bucket", Key=key, Body=b"x")["ETag"] for key in ("a", "b")}
    objects = [{"Key": "a", "ETag": etags["a"]}, {"Key": "b", "ETag": OTHER}]
    answer = s3.delete_objects(Bucket="bucket", Delete={"Objects": objects})
    assert [entry["Key"] for entry in answer["Deleted"]] == ["a"]
    assert [(entry["Key"], entry["Code"]) for entry in answer["Errors"]] == [("b", "PreconditionFailed")]
    assert local_s3.keys() == ["b"]


@pytest.mark.parametrize(
    ("condition", "refusal"),
    [
        ({"CopySourceIfMatch": OTHER}, "PreconditionFailed"),
        ({"CopySourceIfNoneMatch": "{etag}"}, "PreconditionFailed"),
        # A time that is yet to come is no condition of a copy.
        ({"CopySourceIfModifiedSince": dt.datetime(2100, 1, 1, tzinfo=dt.timezone.utc)}, ""),
        ({"CopySourceIfUnmodifiedSince": dt.datetime(2000, 1, 1, tzinfo=dt.timezone.utc)}, "PreconditionFailed"),
        ({"CopySourceIfMatch": "{etag}", "CopySourceIfUnmodifiedSince": dt.datetime(2000, 1, 1)}, ""),
        ({"CopySourceIfNoneMatch": OTHER}, ""),
    ],
)
def test_a_copy_depends_on_its_source(s3: Any, condition: dict[str, Any], refusal: str) -> None:
    etag = s3.put_object(Bucket="bucket", Key="source", Body=b"x")["ETag"]
    filled = {name: value.format(etag=etag) if isinstance(value, str) else value for name, value in condition.items()}
    copied = outcome(lambda: s3.copy_object(Bucket="bucket", Key="a", CopySource="bucket/source", **filled))
    assert copied == refusal


@pytest.mark.parametrize(
    ("condition", "status"),
    [
        ({"IfMatch": OTHER}, "PreconditionFailed"),
        ({"IfNoneMatch": "{etag}"}, "304"),
        ({"IfModifiedSince": dt.datetime(2100, 1, 1)}, "304"),
        ({"IfUnmodifiedSince": dt.datetime(2000, 1, 1)}, "PreconditionFailed"),
        ({"IfMatch": "{etag}", "IfUnmodifiedSince": dt.datetime(2000, 1, 1)}, ""),
        ({"IfNoneMatch": OTHER, "IfModifiedSince": dt.datetime(2100, 1, 1)}, ""),
    ],
)
def test_a_read_depends_on_the_object(s3: Any, condition: dict[str, Any], status: str) -> None:
    etag = s3.put_object(Bucket="bucket", Key="a", Body=b"x")["ETag"]
    filled = {name: value.format(etag=etag) if isinstance(value, str) else value for name, value in condition.items()}
    assert outcome(lambda: s3.get_object(Bucket="bucket", Key="a", **filled)) == status
