"""What a request of S3 needs, by its method, what it names, and its headers."""

from __future__ import annotations

import io

import pytest

from pedigree.localaws.http.exchange import Exchange
from pedigree.localaws.iam.s3_requests import requests

OBJECT = "arn:aws:s3:::bucket/key"


def needs(method: str, target: str, **headers: str) -> list[tuple[str, str]]:
    path, _, query = target.partition("?")
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    exchange = Exchange({}, method, path, query, given, io.BytesIO())
    return [(request.action.removeprefix("s3:"), request.resource) for request in requests(exchange)]


@pytest.mark.parametrize(
    ("method", "query", "actions"),
    [
        ("GET", "", ["GetObject"]),
        ("GET", "versionId=1", ["GetObjectVersion"]),
        ("GET", "attributes", ["GetObjectAttributes", "GetObject"]),
        ("GET", "acl", ["GetObjectAcl"]),
        ("GET", "acl&versionId=1", ["GetObjectVersionAcl"]),
        ("PUT", "tagging&versionId=1", ["PutObjectVersionTagging"]),
        ("GET", "uploadId=1", ["ListMultipartUploadParts"]),
        ("PUT", "retention", ["PutObjectRetention"]),
        ("PUT", "legal-hold", ["PutObjectLegalHold"]),
        ("POST", "restore", ["RestoreObject"]),
        ("DELETE", "versionId=1", ["DeleteObjectVersion"]),
        ("GET", "unknown=1", ["GetObject"]),
    ],
)
def test_an_object_needs_the_action_of_its_subresource(method: str, query: str, actions: list[str]) -> None:
    assert needs(method, f"/bucket/key?{query}") == [(action, OBJECT) for action in actions]


@pytest.mark.parametrize(
    ("method", "query", "action"),
    [
        ("GET", "versions", "ListBucketVersions"),
        ("GET", "uploads", "ListBucketMultipartUploads"),
        ("PUT", "object-lock", "PutBucketObjectLockConfiguration"),
        ("DELETE", "website", "DeleteBucketWebsite"),
        ("GET", "metrics&id=1", "GetMetricsConfiguration"),
        ("DELETE", "cors", "PutBucketCORS"),
    ],
)
def test_a_bucket_needs_the_action_of_its_subresource(method: str, query: str, action: str) -> None:
    assert needs(method, f"/bucket?{query}") == [(action, "arn:aws:s3:::bucket")]


@pytest.mark.parametrize(
    ("header", "action"),
    [
        ("x_amz_tagging", "PutObjectTagging"),
        ("x_amz_object_lock_mode", "PutObjectRetention"),
        ("x_amz_object_lock_legal_hold", "PutObjectLegalHold"),
        ("x_amz_grant_read", "PutObjectAcl"),
        ("x_amz_acl", "PutObjectAcl"),
    ],
)
def test_a_header_that_asks_for_more_needs_an_action_more(header: str, action: str) -> None:
    assert needs("PUT", "/bucket/key", **{header: "value"}) == [("PutObject", OBJECT), (action, OBJECT)]


def test_a_copy_needs_to_read_its_source_however_that_is_written() -> None:
    for source in ("other/a%20b", "/other/a+b", "http://127.0.0.1:1/other/a b", "https://other.s3.amazonaws.com/a%20b"):
        assert needs("PUT", "/bucket/key", x_amz_copy_source=source)[1] == ("GetObject", "arn:aws:s3:::other/a b")
    versioned = needs("PUT", "/bucket/key", x_amz_copy_source="other/a?versionId=1")
    assert versioned[1] == ("GetObjectVersion", "arn:aws:s3:::other/a")
