"""The checksums of objects: S3's own where a client sends none, those of parts, and those of copies."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.pedigree.localaws.services.s3.conftest import LocalS3

PLACE = {"Bucket": "bucket", "Key": "a"}
# CRC-64/NVME of "test data..", as AWS's own answers have it.
CONTENT, CRC64NVME = b"test data..", "qUVrWYOrIAM="
PART = b"p" * (5 << 20)


def attributes(s3: Any) -> dict[str, Any]:
    wanted = ["ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"]
    answer: dict[str, Any] = s3.get_object_attributes(**PLACE, ObjectAttributes=wanted)
    return answer


def upload(s3: Any, *parts: bytes, **arguments: Any) -> dict[str, Any]:
    """Upload an object in parts, and complete it with all that was answered for them."""
    started = s3.create_multipart_upload(**PLACE, **arguments)
    algorithm = {"ChecksumAlgorithm": started["ChecksumAlgorithm"]} if "ChecksumAlgorithm" in started else {}
    listed = []
    for number, body in enumerate(parts, 1):
        given = {**PLACE, "UploadId": started["UploadId"], "PartNumber": number, "Body": body}
        answer = s3.upload_part(**given, **algorithm)
        sums = {name: value for name, value in answer.items() if name.startswith("Checksum") and algorithm}
        listed.append({"PartNumber": number, "ETag": answer["ETag"], **sums})
    completed: dict[str, Any] = s3.complete_multipart_upload(
        **PLACE, UploadId=started["UploadId"], MultipartUpload={"Parts": listed}
    )
    return completed


def test_a_content_without_a_checksum_has_the_one_that_s3_adds(local_s3: LocalS3) -> None:
    answer = local_s3.send("PUT", "/bucket/a", CONTENT, {"x-amz-content-sha256": "UNSIGNED-PAYLOAD"})
    assert answer.headers["x-amz-checksum-crc64nvme"] == CRC64NVME
    assert answer.headers["x-amz-checksum-type"] == "FULL_OBJECT"
    head = local_s3.client.head_object(**PLACE, ChecksumMode="ENABLED")
    assert (head["ChecksumCRC64NVME"], head["ChecksumType"]) == (CRC64NVME, "FULL_OBJECT")
    assert "ChecksumCRC64NVME" not in local_s3.client.head_object(**PLACE)


def test_attributes_are_told_without_the_content(s3: Any) -> None:
    s3.put_object(**PLACE, Body=CONTENT, ChecksumAlgorithm="SHA256")
    told = attributes(s3)
    sha256 = base64.b64encode(hashlib.sha256(CONTENT).digest()).decode()
    assert told["Checksum"] == {"ChecksumSHA256": sha256, "ChecksumType": "FULL_OBJECT"}
    assert (told["ETag"], told["ObjectSize"], told["StorageClass"]) == (
        hashlib.md5(CONTENT, usedforsecurity=False).hexdigest(),
        len(CONTENT),
        "STANDARD",
    )
    assert "ObjectParts" not in told


def test_a_list_names_the_algorithm(s3: Any) -> None:
    s3.put_object(**PLACE, Body=CONTENT, ChecksumAlgorithm="SHA1")
    (entry,) = s3.list_objects_v2(Bucket="bucket")["Contents"]
    assert (entry["ChecksumAlgorithm"], entry["ChecksumType"]) == (["SHA1"], "FULL_OBJECT")


def test_an_upload_that_names_no_algorithm_has_s3s_own_checksum_of_the_whole(s3: Any) -> None:
    completed = upload(s3, PART, b"end")
    assert completed["ChecksumType"] == "FULL_OBJECT"
    head = s3.head_object(**PLACE, ChecksumMode="ENABLED")
    assert head["ChecksumCRC64NVME"] == completed["ChecksumCRC64NVME"]
    assert attributes(s3)["ObjectParts"] == {"TotalPartsCount": 2}


def test_a_composite_checksum_is_of_the_parts_checksums(s3: Any) -> None:
    completed = upload(s3, PART, b"end", ChecksumAlgorithm="SHA256")
    sums = [hashlib.sha256(part).digest() for part in (PART, b"end")]
    whole = base64.b64encode(hashlib.sha256(b"".join(sums)).digest()).decode()
    assert (completed["ChecksumSHA256"], completed["ChecksumType"]) == (f"{whole}-2", "COMPOSITE")
    told = attributes(s3)
    assert told["Checksum"] == {"ChecksumSHA256": whole, "ChecksumType": "COMPOSITE"}
    parts = [(part["PartNumber"], part["ChecksumSHA256"]) for part in told["ObjectParts"]["Parts"]]
    assert parts == [(number, base64.b64encode(value).decode()) for number, value in enumerate(sums, 1)]
    part = s3.get_object(**PLACE, PartNumber=2, ChecksumMode="ENABLED")
    assert (part["Body"].read(), part["PartsCount"], part["ChecksumSHA256"]) == (b"end", 2, parts[1][1])


def test_the_same_parts_have_the_same_checksum_of_the_whole(s3: Any) -> None:
    completed = upload(s3, PART, b"end", ChecksumAlgorithm="CRC32", ChecksumType="FULL_OBJECT")
    put = s3.put_object(Bucket="bucket", Key="b", Body=PART + b"end", ChecksumAlgorithm="CRC32")
    assert (completed["ChecksumCRC32"], completed["ChecksumType"]) == (put["ChecksumCRC32"], "FULL_OBJECT")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"ChecksumAlgorithm": "CRC64NVME", "ChecksumType": "COMPOSITE"}, "The COMPOSITE checksum type cannot be used"),
        ({"ChecksumAlgorithm": "SHA1", "ChecksumType": "FULL_OBJECT"}, "The FULL_OBJECT checksum type cannot be used"),
        ({"ChecksumType": "COMPOSITE"}, "The x-amz-checksum-type header can only be used with"),
    ],
)
def test_an_algorithm_has_the_types_that_it_can_have(s3: Any, arguments: dict[str, str], words: str) -> None:
    with pytest.raises(ClientError, match=words):
        s3.create_multipart_upload(**PLACE, **arguments)


def test_a_part_has_the_algorithm_of_its_upload(s3: Any) -> None:
    started = s3.create_multipart_upload(**PLACE, ChecksumAlgorithm="SHA256")
    given = {**PLACE, "UploadId": started["UploadId"], "PartNumber": 1, "Body": b"1"}
    with pytest.raises(ClientError, match="expected checksum Type: sha256, actual checksum Type: crc32"):
        s3.upload_part(**given, ChecksumAlgorithm="CRC32")


def test_a_copy_has_the_checksum_of_its_source_unless_it_asks_for_another(s3: Any) -> None:
    put = s3.put_object(**PLACE, Body=CONTENT, ChecksumAlgorithm="CRC32")
    copied = s3.copy_object(Bucket="bucket", Key="b", CopySource=PLACE)["CopyObjectResult"]
    assert copied["ChecksumCRC32"] == put["ChecksumCRC32"]
    other = s3.copy_object(Bucket="bucket", Key="b", CopySource=PLACE, ChecksumAlgorithm="SHA256")["CopyObjectResult"]
    assert other["ChecksumSHA256"] == base64.b64encode(hashlib.sha256(CONTENT).digest()).decode()
