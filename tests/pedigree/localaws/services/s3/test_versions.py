"""Versions of objects: their ids on answers, delete markers, suspended buckets, and removed versions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

PLACE = {"Bucket": "bucket", "Key": "a"}
NEVER = "x" * 32


@pytest.fixture
def versioned(s3: Any) -> Any:
    set_versioning(s3, "Enabled")
    return s3


def set_versioning(s3: Any, status: str) -> None:
    s3.put_bucket_versioning(Bucket="bucket", VersioningConfiguration={"Status": status})


def refusal(call: Callable[[], Any]) -> dict[str, Any]:
    with pytest.raises(ClientError) as error:
        call()
    document: dict[str, Any] = error.value.response
    return document


def listed(s3: Any) -> list[tuple[str, str, bool]]:
    """Ids of versions and delete markers, the newest first, and whether each is the latest."""
    answer = s3.list_object_versions(Bucket="bucket")
    entries = [*answer.get("Versions", []), *answer.get("DeleteMarkers", [])]
    return sorted((entry["Key"], entry["VersionId"], entry["IsLatest"]) for entry in entries)


def test_an_answer_names_the_version(versioned: Any) -> None:
    first = versioned.put_object(**PLACE, Body=b"1")["VersionId"]
    second = versioned.put_object(**PLACE, Body=b"2")["VersionId"]
    assert versioned.get_object(**PLACE)["VersionId"] == second
    assert versioned.get_object(**PLACE, VersionId=first)["Body"].read() == b"1"
    assert versioned.head_object(**PLACE, VersionId=first)["VersionId"] == first
    copied = versioned.copy_object(Bucket="bucket", Key="b", CopySource={**PLACE, "VersionId": first})
    assert copied["CopySourceVersionId"] == first
    assert versioned.get_object(Bucket="bucket", Key="b")["Body"].read() == b"1"


def test_an_object_of_a_bucket_without_versions_has_no_id(s3: Any) -> None:
    assert "VersionId" not in s3.put_object(**PLACE, Body=b"1")
    assert "VersionId" not in s3.get_object(**PLACE)
    assert listed(s3) == [("a", "null", True)]
    assert s3.get_object(**PLACE, VersionId="null")["Body"].read() == b"1"
    assert refusal(lambda: s3.get_object(**PLACE, VersionId=NEVER))["Error"] == {
        "Code": "InvalidArgument",
        "Message": "Invalid version id specified",
        "ArgumentName": "versionId",
        "ArgumentValue": NEVER,
    }


def test_a_deletion_leaves_a_marker_that_stands_for_the_object(versioned: Any) -> None:
    version = versioned.put_object(**PLACE, Body=b"1")["VersionId"]
    deleted = versioned.delete_object(**PLACE)
    marker = deleted["VersionId"]
    assert deleted["DeleteMarker"]
    missing = refusal(lambda: versioned.get_object(**PLACE))
    assert (missing["Error"]["Code"], missing["Error"]["Key"]) == ("NoSuchKey", "a")
    assert missing["ResponseMetadata"]["HTTPHeaders"]["x-amz-delete-marker"] == "true"
    denied = refusal(lambda: versioned.get_object(**PLACE, VersionId=marker))
    assert (denied["Error"]["Code"], denied["Error"]["ResourceType"]) == ("MethodNotAllowed", "DeleteMarker")
    assert listed(versioned) == sorted([("a", version, False), ("a", marker, True)])
    assert versioned.list_objects_v2(Bucket="bucket")["KeyCount"] == 0


def test_removing_the_marker_brings_the_object_back(versioned: Any) -> None:
    versioned.put_object(**PLACE, Body=b"1")
    marker = versioned.delete_object(**PLACE)["VersionId"]
    assert versioned.delete_object(**PLACE, VersionId=marker)["DeleteMarker"]
    assert versioned.get_object(**PLACE)["Body"].read() == b"1"


def test_removing_the_current_version_makes_the_one_before_it_current(versioned: Any) -> None:
    versioned.put_object(**PLACE, Body=b"1")
    second = versioned.put_object(**PLACE, Body=b"2")["VersionId"]
    assert versioned.delete_object(**PLACE, VersionId=second)["VersionId"] == second
    assert versioned.get_object(**PLACE)["Body"].read() == b"1"
    assert refusal(lambda: versioned.get_object(**PLACE, VersionId=second))["Error"]["Code"] == "NoSuchVersion"


def test_a_suspended_bucket_has_one_version_without_an_id(versioned: Any) -> None:
    first = versioned.put_object(**PLACE, Body=b"1")["VersionId"]
    set_versioning(versioned, "Suspended")
    for body in (b"2", b"3"):
        assert "VersionId" not in versioned.put_object(**PLACE, Body=body)
    assert listed(versioned) == sorted([("a", first, False), ("a", "null", True)])
    assert versioned.get_object(**PLACE)["VersionId"] == "null"
    assert versioned.delete_object(**PLACE)["VersionId"] == "null"
    assert listed(versioned) == sorted([("a", first, False), ("a", "null", True)])
    assert "Contents" not in versioned.list_objects_v2(Bucket="bucket")


def test_an_object_that_is_older_than_versioning_keeps_the_id_null(s3: Any) -> None:
    s3.put_object(**PLACE, Body=b"1")
    set_versioning(s3, "Enabled")
    second = s3.put_object(**PLACE, Body=b"2")["VersionId"]
    assert listed(s3) == sorted([("a", "null", False), ("a", second, True)])
    assert s3.get_object(**PLACE, VersionId="null")["Body"].read() == b"1"


def test_many_deletions_name_markers_and_versions(versioned: Any) -> None:
    version = versioned.put_object(**PLACE, Body=b"1")["VersionId"]
    (marked,) = versioned.delete_objects(Bucket="bucket", Delete={"Objects": [{"Key": "a"}]})["Deleted"]
    objects = [{"Key": "a", "VersionId": version}, {"Key": "a", "VersionId": NEVER}]
    answer = versioned.delete_objects(Bucket="bucket", Delete={"Objects": objects})
    assert answer["Deleted"] == [{"Key": "a", "VersionId": version}]
    assert [(error["Code"], error["VersionId"]) for error in answer["Errors"]] == [("NoSuchVersion", NEVER)]
    assert listed(versioned) == [("a", marked["DeleteMarkerVersionId"], True)]
    assert refusal(lambda: versioned.delete_bucket(Bucket="bucket"))["Error"]["Code"] == "BucketNotEmpty"


def test_versions_are_listed_page_by_page(versioned: Any) -> None:
    ids = [versioned.put_object(**PLACE, Body=bytes([number]))["VersionId"] for number in range(5)]
    pages = versioned.get_paginator("list_object_versions").paginate(Bucket="bucket", PaginationConfig={"PageSize": 2})
    assert [entry["VersionId"] for page in pages for entry in page["Versions"]] == ids[::-1]


def test_a_list_goes_on_after_versions_that_were_deleted(versioned: Any) -> None:
    for number in range(4):
        versioned.put_object(**PLACE, Body=bytes([number]))
    page = versioned.list_object_versions(Bucket="bucket", MaxKeys=2)
    objects = [{"Key": "a", "VersionId": entry["VersionId"]} for entry in page["Versions"]]
    versioned.delete_objects(Bucket="bucket", Delete={"Objects": objects})
    markers = {"KeyMarker": page["NextKeyMarker"], "VersionIdMarker": page["NextVersionIdMarker"]}
    assert len(versioned.list_object_versions(Bucket="bucket", **markers)["Versions"]) == 2


def test_an_id_that_never_was_is_refused(versioned: Any) -> None:
    version = versioned.put_object(**PLACE, Body=b"1")["VersionId"]
    changed = version[:-4] + "ABCD"
    refused = refusal(lambda: versioned.delete_object(**PLACE, VersionId=changed))["Error"]
    assert (refused["Code"], refused["ArgumentValue"]) == ("InvalidArgument", changed)


def test_tags_belong_to_a_version(versioned: Any) -> None:
    first = versioned.put_object(**PLACE, Body=b"1", Tagging="a=1")["VersionId"]
    second = versioned.put_object(**PLACE, Body=b"2")["VersionId"]
    tagged = versioned.put_object_tagging(**PLACE, Tagging={"TagSet": [{"Key": "b", "Value": "2"}]})
    assert tagged["VersionId"] == second
    assert versioned.get_object_tagging(**PLACE, VersionId=first)["TagSet"] == [{"Key": "a", "Value": "1"}]
