"""What is known of uploads in progress: which there are, and which parts have come."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError


def start(s3: Any, key: str, **arguments: Any) -> str:
    return str(s3.create_multipart_upload(Bucket="bucket", Key=key, **arguments)["UploadId"])


def put_parts(s3: Any, key: str, upload: str, count: int) -> list[str]:
    given = {"Bucket": "bucket", "Key": key, "UploadId": upload}
    return [s3.upload_part(**given, PartNumber=number, Body=b"part")["ETag"] for number in range(1, count + 1)]


def test_the_parts_of_an_upload_are_listed_page_by_page(s3: Any) -> None:
    upload = start(s3, "a", StorageClass="STANDARD_IA")
    place = {"Bucket": "bucket", "Key": "a", "UploadId": upload}
    assert "Parts" not in s3.list_parts(**place)
    etags = put_parts(s3, "a", upload, 3)
    page = s3.list_parts(**place, MaxParts=2)
    assert [(part["PartNumber"], part["ETag"], part["Size"]) for part in page["Parts"]] == [
        (1, etags[0], 4),
        (2, etags[1], 4),
    ]
    assert (page["IsTruncated"], page["NextPartNumberMarker"], page["StorageClass"]) == (True, 2, "STANDARD_IA")
    rest = s3.list_parts(**place, PartNumberMarker=2)
    assert ([part["PartNumber"] for part in rest["Parts"]], rest["IsTruncated"]) == ([3], False)


def test_parts_are_listed_with_the_checksums_of_their_upload(s3: Any) -> None:
    upload = start(s3, "a", ChecksumAlgorithm="SHA256")
    place = {"Bucket": "bucket", "Key": "a", "UploadId": upload}
    sent = s3.upload_part(**place, PartNumber=1, Body=b"part", ChecksumAlgorithm="SHA256")["ChecksumSHA256"]
    listed = s3.list_parts(**place)
    assert (listed["ChecksumAlgorithm"], listed["ChecksumType"]) == ("SHA256", "COMPOSITE")
    assert listed["Parts"][0]["ChecksumSHA256"] == sent


def test_uploads_are_listed_by_key_and_beginning(s3: Any) -> None:
    first, second, other = start(s3, "b"), start(s3, "b"), start(s3, "a")
    listed = s3.list_multipart_uploads(Bucket="bucket")
    assert [(upload["Key"], upload["UploadId"]) for upload in listed["Uploads"]] == [
        ("a", other),
        ("b", first),
        ("b", second),
    ]
    assert (listed["NextKeyMarker"], listed["NextUploadIdMarker"]) == ("b", second)
    page = s3.list_multipart_uploads(Bucket="bucket", KeyMarker="b", UploadIdMarker=first)
    assert [upload["UploadId"] for upload in page["Uploads"]] == [second]
    s3.abort_multipart_upload(Bucket="bucket", Key="a", UploadId=other)
    assert [upload["Key"] for upload in s3.list_multipart_uploads(Bucket="bucket")["Uploads"]] == ["b", "b"]


def test_uploads_with_the_same_part_before_a_delimiter_are_one_prefix(s3: Any) -> None:
    for key in ("in/a/1", "in/a/2", "in/b", "out"):
        start(s3, key)
    listed = s3.list_multipart_uploads(Bucket="bucket", Prefix="in/", Delimiter="/")
    assert listed["CommonPrefixes"] == [{"Prefix": "in/a/"}]
    assert [upload["Key"] for upload in listed["Uploads"]] == ["in/b"]


def test_an_upload_that_is_over_has_no_parts(s3: Any) -> None:
    upload = start(s3, "a")
    etags = put_parts(s3, "a", upload, 1)
    parts = {"Parts": [{"PartNumber": 1, "ETag": etags[0]}]}
    answer = s3.complete_multipart_upload(Bucket="bucket", Key="a", UploadId=upload, MultipartUpload=parts)
    assert answer["Location"].endswith("/bucket/a")
    with pytest.raises(ClientError) as error:
        s3.list_parts(Bucket="bucket", Key="a", UploadId=upload)
    assert (error.value.response["Error"]["Code"], error.value.response["Error"]["UploadId"]) == (
        "NoSuchUpload",
        upload,
    )


def test_an_upload_is_not_completed_over_an_object_that_came_meanwhile(s3: Any) -> None:
    etag = s3.put_object(Bucket="bucket", Key="a", Body=b"1")["ETag"]
    upload = start(s3, "a")
    parts = {"Parts": [{"PartNumber": 1, "ETag": put_parts(s3, "a", upload, 1)[0]}]}
    s3.put_object(Bucket="bucket", Key="a", Body=b"1")
    with pytest.raises(ClientError) as error:
        s3.complete_multipart_upload(Bucket="bucket", Key="a", UploadId=upload, MultipartUpload=parts, IfMatch=etag)
    refused = error.value.response["Error"]
    assert (refused["Code"], refused["Condition"]) == ("ConditionalRequestConflict", "If-Match")
