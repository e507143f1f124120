"""Names of buckets and keys as AWS takes them, and the tags of objects."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from botocore.exceptions import ClientError

from tests.pedigree.localaws.services.s3.conftest import LocalS3

GOOD = ("abc", "a.b-c", "3buckets", "x" * 63, "my-bucket.example.com")
BAD = (
    *("..", ".", "A", "Bucket", "a..b", "ab", "x\n", "a_b", "-abc", "abc-", ".abc", "abc.", "192.168.0.1", "x" * 64),
    *("xn--abc", "sthree-abc", "abc-s3alias", "abc--ol-s3", "abc.mrap", "bücket"),
)


@pytest.mark.parametrize("name", GOOD)
def test_a_bucket_has_a_name_that_aws_takes(local_s3: LocalS3, name: str) -> None:
    assert local_s3.send("PUT", f"/{name}").status == 200


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("method", ["PUT", "GET", "DELETE"])
def test_a_name_that_no_bucket_can_have_is_refused(local_s3: LocalS3, name: str, method: str) -> None:
    answer = local_s3.send(method, f"/{quote(name, safe='')}")
    assert (answer.status, answer.code) == (400, "InvalidBucketName")
    assert [bucket["Name"] for bucket in local_s3.client.list_buckets()["Buckets"]] == ["bucket"]


@pytest.mark.parametrize("key", ["line\nbreak", "a/../b", "..", " ", "ä", "tab\t", "x" * 1024, "&<>'\""])
def test_a_key_may_have_any_characters(s3: Any, local_s3: LocalS3, key: str) -> None:
    s3.put_object(Bucket="bucket", Key=key, Body=b"content")
    assert (local_s3.content(key), local_s3.keys()) == (b"content", [key])


def test_a_key_that_is_too_long_is_refused(s3: Any) -> None:
    with pytest.raises(ClientError) as error:
        s3.put_object(Bucket="bucket", Key="ä" * 513, Body=b"")
    assert error.value.response["Error"]["Code"] == "KeyTooLongError"


@pytest.mark.parametrize("number", ["-1", "x", "", "99999999999"])
def test_a_page_of_no_size_is_refused(local_s3: LocalS3, number: str) -> None:
    answer = local_s3.send("GET", f"/bucket?list-type=2&max-keys={number}")
    assert (answer.status, answer.code) == (400, "InvalidArgument")


TAGS = [{"Key": "empty", "Value": ""}, {"Key": "team", "Value": "dogs + cats"}]


def test_tags_of_objects_are_set_read_copied_and_removed(s3: Any) -> None:
    place = {"Bucket": "bucket", "Key": "a"}
    s3.put_object(**place, Body=b"x", Tagging="team=dogs%20%2B%20cats&empty=")
    assert s3.get_object_tagging(**place)["TagSet"] == TAGS
    assert s3.get_object(**place)["TagCount"] == 2
    s3.copy_object(Bucket="bucket", Key="b", CopySource="bucket/a")
    s3.put_object_tagging(**place, Tagging={"TagSet": TAGS[1:]})
    assert s3.get_object_tagging(**place)["TagSet"] == TAGS[1:]
    s3.delete_object_tagging(**place)
    assert s3.get_object_tagging(**place)["TagSet"] == []
    assert s3.get_object_tagging(Bucket="bucket", Key="b")["TagSet"] == TAGS


@pytest.mark.parametrize(
    ("tags", "refusal"),
    [
        ([{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}], "InvalidTag"),
        ([{"Key": "x" * 129, "Value": "1"}], "InvalidTag"),
        ([{"Key": "a", "Value": "x" * 257}], "InvalidTag"),
        ([{"Key": "a & b", "Value": ""}], "InvalidTag"),
        ([{"Key": "aws:a", "Value": ""}], "InvalidTag"),
        ([{"Key": str(number), "Value": ""} for number in range(11)], "BadRequest"),
    ],
)
def test_tags_that_s3_does_not_take_are_refused(local_s3: LocalS3, tags: list[dict[str, str]], refusal: str) -> None:
    local_s3.client.put_object(Bucket="bucket", Key="a", Body=b"x")
    with pytest.raises(ClientError) as error:
        local_s3.client.put_object_tagging(Bucket="bucket", Key="a", Tagging={"TagSet": tags})
    assert error.value.response["Error"]["Code"] == refusal
    assert local_s3.client.get_object_tagging(Bucket="bucket", Key="a")["TagSet"] == []


@pytest.mark.parametrize("operation", ["get_object_tagging", "delete_object_tagging"])
def test_a_missing_object_has_no_tags(s3: Any, operation: str) -> None:
    with pytest.raises(ClientError) as error:
        getattr(s3, operation)(Bucket="bucket", Key="never")
    assert error.value.response["Error"]["Code"] == "NoSuchKey"
