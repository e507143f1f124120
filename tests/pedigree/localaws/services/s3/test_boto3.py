"""boto3's unmodified S3 client against the local S3: objects, versions, configuration and errors."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import boto3.s3.transfer
import pytest
from botocore.exceptions import ClientError


def code(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def test_an_object_is_read_as_it_was_written(s3: Any) -> None:
    s3.put_object(
        Bucket="bucket", Key="a/ä b.json", Body=b"content", ContentType="application/json", Metadata={"who": "me"}
    )
    answer = s3.get_object(Bucket="bucket", Key="a/ä b.json")
    assert (answer["Body"].read(), answer["ContentType"], answer["Metadata"]) == (
        b"content",
        "application/json",
        {"who": "me"},
    )
    assert s3.head_object(Bucket="bucket", Key="a/ä b.json")["ContentLength"] == 7


@pytest.mark.parametrize(("algorithm", "size"), [("CRC32", 4), ("SHA1", 20), ("SHA256", 32)])
def test_checksums_are_verified_and_returned(s3: Any, algorithm: str, size: int) -> None:
    put = s3.put_object(Bucket="bucket", Key="a", Body=b"content", ChecksumAlgorithm=algorithm)
    head = s3.head_object(Bucket="bucket", Key="a", ChecksumMode="ENABLED")
    assert head[f"Checksum{algorithm}"] == put[f"Checksum{algorithm}"]
    for wrong, refusal in ((bytes(size), "BadDigest"), (bytes(size - 1), "InvalidRequest")):
        checksum = {f"Checksum{algorithm}": base64.b64encode(wrong).decode()}
        with pytest.raises(ClientError) as error:
            s3.put_object(Bucket="bucket", Key="b", Body=b"content", **checksum)
        assert code(error) == refusal
    assert "Contents" not in s3.list_objects_v2(Bucket="bucket", Prefix="b")


def test_a_large_file_is_uploaded_in_parts(s3: Any, tmp_path: Path) -> None:
    content = bytes(range(256)) * 40_000
    s3.upload_fileobj(
        io.BytesIO(content), "bucket", "large", Config=boto3.s3.transfer.TransferConfig(5 << 20, 2, 5 << 20)
    )
    assert s3.head_object(Bucket="bucket", Key="large")["ETag"].endswith('-2"')
    s3.download_file("bucket", "large", str(tmp_path / "again"))
    assert (tmp_path / "again").read_bytes() == content


@pytest.mark.parametrize(
    ("range_header", "part"),
    [("bytes=2-4", b"nte"), ("bytes=5-", b"nt"), ("bytes=-3", b"ent"), ("bytes=0-99", b"content")],
)
def test_a_range_returns_a_part(s3: Any, range_header: str, part: bytes) -> None:
    s3.put_object(Bucket="bucket", Key="a", Body=b"content")
    assert s3.get_object(Bucket="bucket", Key="a", Range=range_header)["Body"].read() == part


def test_objects_are_listed_by_pages_and_grouped_by_a_delimiter(s3: Any) -> None:
    for key in ("a/1", "a/2", "a/b/3", "c"):
        s3.put_object(Bucket="bucket", Key=key, Body=b"")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket="bucket", PaginationConfig={"PageSize": 3})
    assert [entry["Key"] for page in pages for entry in page["Contents"]] == ["a/1", "a/2", "a/b/3", "c"]
    below = s3.list_objects_v2(Bucket="bucket", Prefix="a/", Delimiter="/")
    assert [entry["Key"] for entry in below["Contents"]] == ["a/1", "a/2"]
    assert below["CommonPrefixes"] == [{"Prefix": "a/b/"}]


def test_deleting_the_current_version_of_an_object_keeps_no_earlier_one(s3: Any) -> None:
    s3.put_bucket_versioning(Bucket="bucket", VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket="bucket", Key="a", Body=b"1")
    (version,) = s3.list_object_versions(Bucket="bucket")["Versions"]
    s3.delete_objects(Bucket="bucket", Delete={"Objects": [{"Key": "a", "VersionId": version["VersionId"]}]})
    assert "Versions" not in s3.list_object_versions(Bucket="bucket")
    s3.delete_bucket(Bucket="bucket")


def test_objects_are_copied_and_deleted(s3: Any) -> None:
    s3.put_object(Bucket="bucket", Key="a", Body=b"content", ContentType="text/plain")
    s3.copy_object(Bucket="bucket", Key="b", CopySource={"Bucket": "bucket", "Key": "a"})
    assert s3.get_object(Bucket="bucket", Key="b")["ContentType"] == "text/plain"
    s3.delete_objects(Bucket="bucket", Delete={"Objects": [{"Key": "a"}, {"Key": "b"}, {"Key": "never"}]})
    assert s3.list_objects_v2(Bucket="bucket")["KeyCount"] == 0
    s3.delete_bucket(Bucket="bucket")


def test_versions_are_kept_listed_and_deleted(s3: Any) -> None:
    s3.put_bucket_versioning(Bucket="bucket", VersioningConfiguration={"Status": "Enabled"})
    assert s3.get_bucket_versioning(Bucket="bucket")["Status"] == "Enabled"
    for body in (b"1", b"2"):
        s3.put_object(Bucket="bucket", Key="a", Body=body)
    s3.delete_object(Bucket="bucket", Key="a")
    versions = s3.list_object_versions(Bucket="bucket")["Versions"]
    assert len(versions) == 2
    with pytest.raises(ClientError) as error:
        s3.delete_bucket(Bucket="bucket")
    assert code(error) == "BucketNotEmpty"
    markers = s3.list_object_versions(Bucket="bucket")["DeleteMarkers"]
    objects = [{"Key": version["Key"], "VersionId": version["VersionId"]} for version in (*versions, *markers)]
    s3.delete_objects(Bucket="bucket", Delete={"Objects": objects})
    s3.delete_bucket(Bucket="bucket")


POLICY = (
    '{"Version":"2012-10-17","Statement":'
    '[{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::bucket/secret/*"}]}'
)
RULE = {"ID": "old", "Status": "Enabled", "Filter": {"Prefix": "executions/"}, "Expiration": {"Days": 90}}
SITE = {"IndexDocument": {"Suffix": "index.html"}}
CORS = {"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}
CONFIGURATIONS = [
    ("bucket_policy", {"Policy": POLICY}, "NoSuchBucketPolicy"),
    ("bucket_lifecycle_configuration", {"LifecycleConfiguration": {"Rules": [RULE]}}, "NoSuchLifecycleConfiguration"),
    ("bucket_tagging", {"Tagging": {"TagSet": [{"Key": "a", "Value": "b"}]}}, "NoSuchTagSet"),
    ("bucket_cors", {"CORSConfiguration": {"CORSRules": [CORS]}}, "NoSuchCORSConfiguration"),
    (
        "bucket_website",
        {"WebsiteConfiguration": {"IndexDocument": {"Suffix": "index.html"}}},
        "NoSuchWebsiteConfiguration",
    ),
]


def test_a_bucket_is_created_with_its_tags(s3: Any) -> None:
    tags = [{"Key": "team", "Value": "dogs + cats"}, {"Key": "a/b", "Value": "c"}, {"Key": "d", "Value": ""}]
    s3.create_bucket(Bucket="tagged", CreateBucketConfiguration={"Tags": tags})
    assert s3.get_bucket_tagging(Bucket="tagged")["TagSet"] == tags


@pytest.mark.parametrize(("kind", "value", "missing"), CONFIGURATIONS)
def test_configuration_is_returned_unchanged(s3: Any, kind: str, value: dict[str, Any], missing: str) -> None:
    with pytest.raises(ClientError) as error:
        getattr(s3, f"get_{kind}")(Bucket="bucket")
    assert code(error) == missing
    getattr(s3, f"put_{kind}")(Bucket="bucket", **value)
    answer = getattr(s3, f"get_{kind}")(Bucket="bucket")
    given = next(iter(value.values()))
    inner = given if isinstance(given, str) else next(iter(given.values()))
    assert inner in answer.values() or given in answer.values()


@pytest.mark.parametrize(
    ("operation", "arguments", "expected"),
    [
        ("get_object", {"Bucket": "bucket", "Key": "never"}, "NoSuchKey"),
        ("head_object", {"Bucket": "bucket", "Key": "never"}, "404"),
        ("head_bucket", {"Bucket": "never"}, "404"),
        ("list_objects_v2", {"Bucket": "never"}, "NoSuchBucket"),
        ("put_object", {"Bucket": "never", "Key": "a", "Body": b""}, "NoSuchBucket"),
        ("get_bucket_replication", {"Bucket": "bucket"}, "NotImplemented"),
        ("complete_multipart_upload", {"Bucket": "bucket", "Key": "a", "UploadId": "never"}, "NoSuchUpload"),
    ],
)
def test_a_missing_resource_has_the_error_code_of_s3(
    s3: Any, operation: str, arguments: dict[str, Any], expected: str
) -> None:
    with pytest.raises(ClientError) as error:
        getattr(s3, operation)(**arguments)
    assert code(error) == expected


def test_an_error_names_what_it_is_about(s3: Any) -> None:
    with pytest.raises(ClientError) as error:
        s3.get_object(Bucket="bucket", Key="never")
    document = error.value.response["Error"]
    assert (document["Key"], document["Message"]) == ("never", "The specified key does not exist.")
    assert error.value.response["ResponseMetadata"]["RequestId"]
    with pytest.raises(ClientError) as error:
        s3.list_objects_v2(Bucket="never-made")
    assert error.value.response["Error"]["BucketName"] == "never-made"


def test_metadata_may_have_underscores_and_encoded_words(s3: Any) -> None:
    metadata = {"snake_case": "1", "kebab-case": "2", "word": "=?UTF-8?B?YWJj?="}
    s3.put_object(Bucket="bucket", Key="a", Body=b"1", Metadata=metadata)
    assert s3.head_object(Bucket="bucket", Key="a")["Metadata"] == {**metadata, "word": "abc"}


def test_an_object_is_not_copied_to_itself_without_a_change(s3: Any) -> None:
    place = {"Bucket": "bucket", "Key": "a"}
    s3.put_object(**place, Body=b"1", Metadata={"who": "me"})
    with pytest.raises(ClientError, match="trying to copy an object to itself without changing"):
        s3.copy_object(**place, CopySource=place)
    s3.copy_object(**place, CopySource=place, MetadataDirective="REPLACE", Metadata={"who": "you"})
    assert s3.head_object(**place)["Metadata"] == {"who": "you"}


def test_a_cold_object_is_read_once_it_is_restored(s3: Any) -> None:
    place = {"Bucket": "bucket", "Key": "a"}
    s3.put_object(**place, Body=b"1", StorageClass="GLACIER")
    assert s3.head_object(**place)["StorageClass"] == "GLACIER"
    with pytest.raises(ClientError) as error:
        s3.get_object(**place)
    assert error.value.response["Error"]["StorageClass"] == "GLACIER"
    s3.restore_object(**place, RestoreRequest={"Days": 1})
    assert s3.get_object(**place)["Body"].read() == b"1"
    with pytest.raises(ClientError, match="InvalidStorageClass"):
        s3.put_object(**place, Body=b"1", StorageClass="ATTIC")


def test_a_read_can_ask_for_other_headers(s3: Any) -> None:
    s3.put_object(Bucket="bucket", Key="a", Body=b"1")
    answer = s3.get_object(Bucket="bucket", Key="a", ResponseContentType="text/csv", ResponseCacheControl="no-cache")
    assert (answer["ContentType"], answer["CacheControl"]) == ("text/csv", "no-cache")


def test_buckets_are_listed_page_by_page(s3: Any) -> None:
    for name in ("page-a", "page-b", "page-c"):
        s3.create_bucket(Bucket=name)
    first = s3.list_buckets(Prefix="page-", MaxBuckets=2)
    rest = s3.list_buckets(Prefix="page-", ContinuationToken=first["ContinuationToken"])
    assert [bucket["Name"] for page in (first, rest) for bucket in page["Buckets"]] == ["page-a", "page-b", "page-c"]
