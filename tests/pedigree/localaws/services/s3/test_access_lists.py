"""Access control lists: given back as they were set, and refused where the bucket's owner owns all objects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

PLACE = {"Bucket": "bucket", "Key": "a"}
LOGS = "http://acs.amazonaws.com/groups/s3/LogDelivery"
EVERYBODY = "http://acs.amazonaws.com/groups/global/AllUsers"


@pytest.fixture
def with_lists(s3: Any) -> Any:
    rules = {"Rules": [{"ObjectOwnership": "ObjectWriter"}]}
    s3.put_bucket_ownership_controls(Bucket="bucket", OwnershipControls=rules)
    s3.delete_public_access_block(Bucket="bucket")
    s3.put_object(**PLACE, Body=b"1")
    return s3


def error(call: Callable[[], Any]) -> dict[str, Any]:
    with pytest.raises(ClientError) as refused:
        call()
    document: dict[str, Any] = refused.value.response["Error"]
    return document


def grants(answer: dict[str, Any]) -> list[tuple[str, str]]:
    return [(grant["Grantee"].get("URI", "owner"), grant["Permission"]) for grant in answer["Grants"]]


def test_the_owner_may_do_everything(s3: Any) -> None:
    s3.put_object(**PLACE, Body=b"1")
    for answer in (s3.get_bucket_acl(Bucket="bucket"), s3.get_object_acl(**PLACE)):
        assert grants(answer) == [("owner", "FULL_CONTROL")]
        assert answer["Owner"]["ID"] == answer["Grants"][0]["Grantee"]["ID"]


def test_a_new_bucket_has_no_lists_but_its_owners(s3: Any) -> None:
    for arguments in ({"ACL": "public-read"}, {"GrantRead": f'uri="{LOGS}"'}):
        for call in (s3.put_object, s3.put_object_acl):
            refused = error(lambda call=call, arguments=arguments: call(**PLACE, **arguments))  # type: ignore[misc]
            assert refused["Code"] in ("AccessControlListNotSupported", "NoSuchKey")
    s3.put_object(**PLACE, Body=b"1", ACL="bucket-owner-full-control")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"ACL": "public-read"}, [("owner", "FULL_CONTROL"), (EVERYBODY, "READ")]),
        ({"ACL": "private"}, [("owner", "FULL_CONTROL")]),
        ({"GrantWrite": f'uri="{LOGS}"'}, [(LOGS, "WRITE")]),
    ],
)
def test_a_list_is_given_back(with_lists: Any, arguments: dict[str, str], expected: list[tuple[str, str]]) -> None:
    with_lists.put_object_acl(**PLACE, **arguments)
    assert grants(with_lists.get_object_acl(**PLACE)) == expected
    with_lists.put_bucket_acl(Bucket="bucket", **arguments)
    answer = with_lists.get_bucket_acl(Bucket="bucket")
    assert grants(answer) == expected
    policy = {"Owner": answer["Owner"], "Grants": answer["Grants"]}
    with_lists.put_object_acl(**PLACE, AccessControlPolicy=policy)
    assert grants(with_lists.get_object_acl(**PLACE)) == expected


def test_a_public_list_is_refused_where_public_access_is_blocked(with_lists: Any) -> None:
    block = {"BlockPublicAcls": True}
    with_lists.put_public_access_block(Bucket="bucket", PublicAccessBlockConfiguration=block)
    assert error(lambda: with_lists.put_object_acl(**PLACE, ACL="public-read"))["Code"] == "AccessDenied"
    with_lists.put_object_acl(**PLACE, ACL="private")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"ACL": "none"}, {"Code": "InvalidArgument", "ArgumentName": "x-amz-acl", "ArgumentValue": "none"}),
        ({"GrantRead": 'uri="http://x"'}, {"Code": "InvalidArgument", "ArgumentName": "uri"}),
        ({"GrantRead": 'id="me"'}, {"Code": "InvalidArgument", "Message": "Invalid id"}),
        ({"GrantRead": "who=me"}, {"Code": "InvalidArgument", "Message": "Argument format not recognized"}),
        ({"ACL": "private", "GrantRead": f'uri="{LOGS}"'}, {"Code": "InvalidRequest"}),
        ({"AccessControlPolicy": {"Grants": []}}, {"Code": "MalformedACLError"}),
        ({}, {"Code": "MissingSecurityHeader", "MissingHeaderName": "x-amz-acl"}),
    ],
)
def test_a_list_that_is_none_is_refused(with_lists: Any, arguments: dict[str, Any], expected: dict[str, str]) -> None:
    refused = error(lambda: with_lists.put_bucket_acl(Bucket="bucket", **arguments))
    assert refused.items() >= expected.items()
