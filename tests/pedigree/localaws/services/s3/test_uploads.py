"""Uploads: an object appears whole and as its checksums say, or not at all, and the one before it stays."""

from __future__ import annotations

import base64
import hashlib
import os
import zlib
from typing import Any

import pytest
from botocore.exceptions import ClientError

from pedigree.localaws.http.checksums import ALGORITHMS
from tests.pedigree.localaws.services.s3.conftest import LocalS3

LARGE = os.urandom(1 << 20)


def checksum(algorithm: str, content: bytes) -> str:
    digest = ALGORITHMS[algorithm]()
    digest.update(content)
    return base64.b64encode(digest.digest()).decode()


def crc32(content: bytes) -> str:
    return base64.b64encode(zlib.crc32(content).to_bytes(4, "big")).decode()


def chunked(content: bytes, *trailers: str, size: str | None = None) -> bytes:
    """A body in AWS's encoding."""
    lines = "".join(f"{line}\r\n" for line in trailers)
    return f"{size or f'{len(content):x}'}\r\n".encode() + content + f"\r\n0\r\n{lines}\r\n".encode()


STREAMING = {"x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "content-encoding": "aws-chunked"}


@pytest.mark.parametrize("content", [b"small", LARGE])
def test_a_body_that_breaks_off_leaves_the_object_before_it(local_s3: LocalS3, content: bytes) -> None:
    local_s3.client.put_object(Bucket="bucket", Key="a", Body=b"before")
    for key in ("a", "b"):
        assert b"IncompleteBody" in local_s3.send_part(f"/bucket/{key}", 10 * len(content), content)
    assert (local_s3.keys(), local_s3.content("a"), len(local_s3.files())) == (["a"], b"before", 1)


def test_a_part_that_breaks_off_is_no_part(local_s3: LocalS3) -> None:
    upload = local_s3.client.create_multipart_upload(Bucket="bucket", Key="a")["UploadId"]
    answer = local_s3.send_part(f"/bucket/a?uploadId={upload}&partNumber=1", 100, b"x" * 10)
    assert (b"IncompleteBody" in answer, local_s3.files()) == (True, [])


def test_a_body_without_a_length_is_refused(local_s3: LocalS3) -> None:
    request = {"Transfer-Encoding": "identity"}
    assert local_s3.send("PUT", "/bucket/a", b"", request).status in (400, 411)


MD5 = base64.b64encode(hashlib.md5(b"content", usedforsecurity=False).digest()).decode()
SHA256 = hashlib.sha256(b"content").hexdigest()
OTHER = hashlib.sha256(b"other").hexdigest()
CHECKED: list[tuple[dict[str, str], str]] = [
    ({"Content-MD5": MD5}, ""),
    ({"Content-MD5": base64.b64encode(bytes(16)).decode()}, "BadDigest"),
    ({"Content-MD5": "nonsense"}, "InvalidDigest"),
    ({"Content-MD5": base64.b64encode(bytes(15)).decode()}, "InvalidDigest"),
    ({"x-amz-content-sha256": SHA256}, ""),
    ({"x-amz-content-sha256": OTHER}, "XAmzContentSHA256Mismatch"),
    ({"x-amz-content-sha256": "nonsense"}, "InvalidArgument"),
    ({"x-amz-checksum-crc32": crc32(b"content"), "x-amz-checksum-sha1": "x"}, "InvalidRequest"),
    ({"x-amz-sdk-checksum-algorithm": "CRC32"}, "InvalidRequest"),
    *(({f"x-amz-checksum-{name}": checksum(name, b"content")}, "") for name in ALGORITHMS),
    *(({f"x-amz-checksum-{name}": checksum(name, b"other")}, "BadDigest") for name in ALGORITHMS),
    *(({f"x-amz-checksum-{name}": "AAA="}, "InvalidRequest") for name in ALGORITHMS),
]


@pytest.mark.parametrize(("headers", "refusal"), CHECKED)
def test_a_checksum_in_a_header_is_verified(local_s3: LocalS3, headers: dict[str, str], refusal: str) -> None:
    answer = local_s3.send("PUT", "/bucket/a", b"content", headers)
    assert (answer.code if answer.status != 200 else "", local_s3.keys()) == (refusal, [] if refusal else ["a"])
    assert len(local_s3.files()) == (0 if refusal else 1)


@pytest.mark.parametrize("name", ALGORITHMS)
def test_a_checksum_in_a_trailer_is_verified_and_kept(local_s3: LocalS3, name: str) -> None:
    header = f"x-amz-checksum-{name}"
    headers = {**STREAMING, "x-amz-trailer": header, "x-amz-decoded-content-length": str(len(LARGE))}
    good = chunked(LARGE, f"{header}:{checksum(name, LARGE)}")
    assert local_s3.send("PUT", "/bucket/a", good, headers).status == 200
    head = local_s3.send("HEAD", "/bucket/a", headers={"x-amz-checksum-mode": "ENABLED"})
    assert head.headers[header] == checksum(name, LARGE)
    wrong = chunked(LARGE, f"{header}:{checksum(name, b'other')}")
    assert local_s3.send("PUT", "/bucket/b", wrong, headers).code == "BadDigest"
    assert local_s3.send("PUT", "/bucket/b", chunked(LARGE), headers).code == "MalformedTrailerError"
    assert local_s3.keys() == ["a"]


@pytest.mark.parametrize(
    ("body", "length"),
    [
        (chunked(b"content", size="-7"), 7),
        (chunked(b"content", size="8"), 7),
        (chunked(b"content", size="6"), 7),
        (chunked(b"content"), 8),
        (chunked(b"content") + b"more", 7),
        (b"7\r\ncontent\r\n", 7),
        (b"7\r\ncont", 7),
    ],
)
def test_a_malformed_chunked_body_is_refused(local_s3: LocalS3, body: bytes, length: int) -> None:
    answer = local_s3.send("PUT", "/bucket/a", body, {**STREAMING, "x-amz-decoded-content-length": str(length)})
    assert (answer.status, answer.code, local_s3.files()) == (400, "IncompleteBody", [])


def test_a_body_over_five_gibibytes_is_refused_before_it_comes(local_s3: LocalS3) -> None:
    assert b"EntityTooLarge" in local_s3.send_part("/bucket/a", (5 << 30) + 1, b"x")


def test_an_object_for_a_missing_bucket_is_refused_before_it_comes(local_s3: LocalS3) -> None:
    assert b"NoSuchBucket" in local_s3.send_part("/missing/a", 5 << 30, b"x")


def code(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def start_upload(s3: Any, *contents: bytes, key: str = "a", **more: Any) -> tuple[str, list[dict[str, Any]]]:
    upload = s3.create_multipart_upload(Bucket="bucket", Key=key, **more)["UploadId"]
    parts = []
    for number, content in enumerate(contents, 1):
        answer = s3.upload_part(Bucket="bucket", Key=key, UploadId=upload, PartNumber=number, Body=content)
        parts.append({"PartNumber": number, "ETag": answer["ETag"]})
    return upload, parts


def test_an_upload_belongs_to_its_bucket_and_key(s3: Any) -> None:
    s3.create_bucket(Bucket="second")
    upload, parts = start_upload(s3, b"x")
    for bucket, key in (("bucket", "b"), ("second", "a")):
        place = {"Bucket": bucket, "Key": key, "UploadId": upload}
        for call, more in (
            (s3.upload_part, {"PartNumber": 1, "Body": b"y"}),
            (s3.complete_multipart_upload, {"MultipartUpload": {"Parts": parts}}),
            (s3.abort_multipart_upload, {}),
        ):
            with pytest.raises(ClientError) as error:
                call(**place, **more)
            assert code(error) == "NoSuchUpload"
    s3.complete_multipart_upload(Bucket="bucket", Key="a", UploadId=upload, MultipartUpload={"Parts": parts})


def test_parts_must_be_in_order_large_enough_and_as_they_were_uploaded(s3: Any) -> None:
    upload, parts = start_upload(s3, b"small", b"last")
    wrong = {"ETag": '"0"', "PartNumber": 2}
    lists = ([parts[1], parts[0]], "InvalidPartOrder"), (parts, "EntityTooSmall"), ([parts[0], wrong], "InvalidPart")
    for listed, refusal in lists:
        with pytest.raises(ClientError) as error:
            s3.complete_multipart_upload(Bucket="bucket", Key="a", UploadId=upload, MultipartUpload={"Parts": listed})
        assert code(error) == refusal


@pytest.mark.parametrize(("kind", "is_full"), [("COMPOSITE", False), ("FULL_OBJECT", True)])
def test_the_checksum_of_joined_parts_is_of_their_checksums_or_of_the_whole(s3: Any, kind: str, is_full: bool) -> None:
    contents = (LARGE * 5, b"last")
    upload, parts = start_upload(s3, *contents, ChecksumAlgorithm="CRC32", ChecksumType=kind)
    for part, content in zip(parts, contents, strict=True):
        part["ChecksumCRC32"] = crc32(content)
    answer = s3.complete_multipart_upload(Bucket="bucket", Key="a", UploadId=upload, MultipartUpload={"Parts": parts})
    of_parts = crc32(b"".join(base64.b64decode(crc32(content)) for content in contents)) + "-2"
    expected = crc32(b"".join(contents)) if is_full else of_parts
    assert (answer["ChecksumCRC32"], answer["ChecksumType"]) == (expected, kind)
    head = s3.head_object(Bucket="bucket", Key="a", ChecksumMode="ENABLED")
    assert head["ChecksumCRC32"] == expected


def test_a_wrong_checksum_of_a_listed_part_is_refused(s3: Any) -> None:
    upload, (part,) = start_upload(s3, b"x", ChecksumAlgorithm="CRC32")
    with pytest.raises(ClientError) as error:
        s3.complete_multipart_upload(
            Bucket="bucket",
            Key="a",
            UploadId=upload,
            MultipartUpload={"Parts": [{**part, "ChecksumCRC32": crc32(b"y")}]},
        )
    assert code(error) == "InvalidPart"


def test_a_part_is_copied_from_a_range_of_an_object(s3: Any, local_s3: LocalS3) -> None:
    s3.put_object(Bucket="bucket", Key="source", Body=LARGE)
    upload = s3.create_multipart_upload(Bucket="bucket", Key="a")["UploadId"]
    place = {"Bucket": "bucket", "Key": "a", "UploadId": upload}
    copied = s3.upload_part_copy(**place, PartNumber=1, CopySource="bucket/source", CopySourceRange="bytes=10-99")
    part = {"PartNumber": 1, "ETag": copied["CopyPartResult"]["ETag"]}
    s3.complete_multipart_upload(**place, MultipartUpload={"Parts": [part]})
    assert local_s3.content("a") == LARGE[10:100]
    place["UploadId"] = s3.create_multipart_upload(Bucket="bucket", Key="a")["UploadId"]
    with pytest.raises(ClientError) as error:
        s3.upload_part_copy(**place, PartNumber=1, CopySource="bucket/source", CopySourceRange=f"bytes=0-{1 << 20}")
    assert code(error) == "InvalidArgument"
