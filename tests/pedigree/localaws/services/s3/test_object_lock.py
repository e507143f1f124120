"""Versions that cannot be deleted: until a date, or as long as a legal hold is on them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

PLACE = {"Bucket": "locked", "Key": "a"}
LATER = dt.datetime(2200, 1, 1, tzinfo=dt.timezone.utc)


@pytest.fixture
def locked(s3: Any) -> Any:
    s3.create_bucket(Bucket="locked", ObjectLockEnabledForBucket=True)
    return s3


def error(call: Callable[[], Any]) -> dict[str, Any]:
    with pytest.raises(ClientError) as refused:
        call()
    document: dict[str, Any] = refused.value.response["Error"]
    return document


def test_a_locked_version_is_kept_until_its_date(locked: Any) -> None:
    version = locked.put_object(**PLACE, Body=b"1", ObjectLockMode="GOVERNANCE", ObjectLockRetainUntilDate=LATER)
    place = {**PLACE, "VersionId": version["VersionId"]}
    assert error(lambda: locked.delete_object(**place))["Message"].endswith("protected by object lock.")
    assert locked.get_object_retention(**PLACE)["Retention"] == {"Mode": "GOVERNANCE", "RetainUntilDate": LATER}
    assert locked.head_object(**PLACE)["ObjectLockMode"] == "GOVERNANCE"
    earlier = {"Mode": "GOVERNANCE", "RetainUntilDate": LATER - dt.timedelta(days=1)}
    assert error(lambda: locked.put_object_retention(**place, Retention=earlier))["Code"] == "AccessDenied"
    assert locked.delete_object(**PLACE)["DeleteMarker"]
    locked.delete_object(**place, BypassGovernanceRetention=True)


def test_a_legal_hold_keeps_a_version_until_it_is_lifted(locked: Any) -> None:
    version = locked.put_object(**PLACE, Body=b"1")["VersionId"]
    place = {**PLACE, "VersionId": version}
    locked.put_object_legal_hold(**place, LegalHold={"Status": "ON"})
    assert error(lambda: locked.delete_object(**place, BypassGovernanceRetention=True))["Code"] == "AccessDenied"
    (refused,) = locked.delete_objects(Bucket="locked", Delete={"Objects": [{"Key": "a", "VersionId": version}]})[
        "Errors"
    ]
    assert refused["Code"] == "AccessDenied"
    locked.put_object_legal_hold(**place, LegalHold={"Status": "OFF"})
    locked.delete_object(**place)


def test_a_bucket_locks_its_new_objects_by_default(locked: Any) -> None:
    rule = {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 1}}
    configuration = {"ObjectLockEnabled": "Enabled", "Rule": rule}
    locked.put_object_lock_configuration(Bucket="locked", ObjectLockConfiguration=configuration)
    locked.put_object(**PLACE, Body=b"1")
    assert locked.head_object(**PLACE)["ObjectLockMode"] == "COMPLIANCE"


def test_only_a_bucket_that_is_made_for_it_locks_objects(s3: Any) -> None:
    s3.put_object(Bucket="bucket", Key="a", Body=b"1")
    hold = {"LegalHold": {"Status": "ON"}}
    refused = error(lambda: s3.put_object_legal_hold(Bucket="bucket", Key="a", **hold))
    assert (refused["Code"], refused["Message"]) == ("InvalidRequest", "Bucket is missing Object Lock Configuration")
    configuration = {"ObjectLockEnabled": "Enabled"}
    unversioned = error(
        lambda: s3.put_object_lock_configuration(Bucket="bucket", ObjectLockConfiguration=configuration)
    )
    assert unversioned["Code"] == "InvalidBucketState"
    bypassed = error(lambda: s3.delete_object(Bucket="bucket", Key="a", BypassGovernanceRetention=True))
    assert bypassed["ArgumentName"] == "x-amz-bypass-governance-retention"
