"""What buckets are by default, what their configuration may be, and how it is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.local_aws import client

RULE = {"ID": "a", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 7}}
MALFORMED = {"Code": "MalformedXML"}


def error(call: Callable[[], Any]) -> dict[str, Any]:
    with pytest.raises(ClientError) as refused:
        call()
    document: dict[str, Any] = refused.value.response["Error"]
    return document


def test_a_new_bucket_is_private_and_its_owners(s3: Any) -> None:
    block = s3.get_public_access_block(Bucket="bucket")["PublicAccessBlockConfiguration"]
    assert set(block.values()) == {True}
    controls = s3.get_bucket_ownership_controls(Bucket="bucket")["OwnershipControls"]
    assert controls == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    s3.delete_public_access_block(Bucket="bucket")
    missing = error(lambda: s3.get_public_access_block(Bucket="bucket"))
    assert (missing["Code"], missing["BucketName"]) == ("NoSuchPublicAccessBlockConfiguration", "bucket")


def test_a_bucket_says_where_it_is(s3: Any) -> None:
    s3.create_bucket(Bucket="elsewhere", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    assert s3.get_bucket_location(Bucket="elsewhere")["LocationConstraint"] == "eu-central-1"
    assert s3.head_bucket(Bucket="elsewhere")["BucketRegion"] == "eu-central-1"
    assert s3.get_bucket_location(Bucket="bucket")["LocationConstraint"] is None
    listed = s3.list_buckets(BucketRegion="eu-central-1")["Buckets"]
    assert [(bucket["Name"], bucket["BucketRegion"]) for bucket in listed] == [("elsewhere", "eu-central-1")]


@pytest.mark.parametrize(
    ("region", "constraint", "code"),
    [
        ("us-east-1", "us-east-1", "InvalidLocationConstraint"),
        ("us-east-1", "nowhere", "InvalidLocationConstraint"),
        ("eu-west-2", "us-east-2", "IllegalLocationConstraintException"),
        ("eu-west-2", "", "IllegalLocationConstraintException"),
    ],
)
def test_a_region_has_the_constraints_that_it_can_have(s3: Any, region: str, constraint: str, code: str) -> None:
    elsewhere = client(s3.meta.endpoint_url, "s3", region=region)
    given = {"CreateBucketConfiguration": {"LocationConstraint": constraint}} if constraint else {}
    assert error(lambda: elsewhere.create_bucket(Bucket="new", **given))["Code"] == code


def test_a_bucket_can_be_created_again_in_the_first_region_only(s3: Any) -> None:
    assert s3.create_bucket(Bucket="bucket")["Location"] == "/bucket"
    elsewhere = client(s3.meta.endpoint_url, "s3", region="eu-west-2")
    given = {"Bucket": "other", "CreateBucketConfiguration": {"LocationConstraint": "eu-west-2"}}
    elsewhere.create_bucket(**given)
    refused = error(lambda: elsewhere.create_bucket(**given))
    assert (refused["Code"], refused["BucketName"]) == ("BucketAlreadyOwnedByYou", "other")


def test_a_notification_without_an_id_gets_one(s3: Any) -> None:
    queue = {"QueueArn": "arn:aws:sqs:us-east-1:123456789012:q", "Events": ["s3:ObjectCreated:*"]}
    s3.put_bucket_notification_configuration(
        Bucket="bucket", NotificationConfiguration={"QueueConfigurations": [queue]}, SkipDestinationValidation=True
    )
    (stored,) = s3.get_bucket_notification_configuration(Bucket="bucket")["QueueConfigurations"]
    assert stored.pop("Id")
    assert stored == queue


def test_a_filter_that_is_none_is_refused(s3: Any) -> None:
    queue: dict[str, Any] = {"QueueArn": "arn:aws:sqs:us-east-1:123456789012:q", "Events": ["s3:ObjectCreated:*"]}

    def put(**more: Any) -> dict[str, Any]:
        given = {"QueueConfigurations": [{**queue, **more}]}
        return error(lambda: s3.put_bucket_notification_configuration(Bucket="bucket", NotificationConfiguration=given))

    rule = {"Name": "middle", "Value": "a"}
    assert put(Filter={"Key": {"FilterRules": [rule]}})["ArgumentName"] == "FilterRule.Name"
    assert put(Filter={"Key": {"FilterRules": [{"Name": "prefix"}]}})["Code"] == "MalformedXML"
    assert put(QueueArn="q")["Message"] == "The ARN could not be parsed"


def test_an_object_tells_when_a_lifecycle_rule_ends_it(s3: Any) -> None:
    s3.put_bucket_lifecycle_configuration(Bucket="bucket", LifecycleConfiguration={"Rules": [RULE]})
    answer = s3.put_object(Bucket="bucket", Key="a", Body=b"1")
    assert 'rule-id="a"' in answer["Expiration"]
    assert s3.head_object(Bucket="bucket", Key="a")["Expiration"] == answer["Expiration"]


@pytest.mark.parametrize(
    ("operation", "arguments", "expected"),
    [
        ("versioning", {"VersioningConfiguration": {"Status": "enabled"}}, MALFORMED),
        ("versioning", {"VersioningConfiguration": {}}, {"Code": "IllegalVersioningConfigurationException"}),
        ("lifecycle_configuration", {"LifecycleConfiguration": {"Rules": []}}, MALFORMED),
        ("lifecycle_configuration", {"LifecycleConfiguration": {"Rules": [{**RULE, "Expiration": {}}]}}, MALFORMED),
        (
            "lifecycle_configuration",
            {"LifecycleConfiguration": {"Rules": [{**RULE, "Expiration": {"Date": "2030-01-01T02:00:00Z"}}]}},
            {"Code": "InvalidArgument", "ArgumentName": "Date"},
        ),
        (
            "cors",
            {"CORSConfiguration": {"CORSRules": [{"AllowedMethods": ["DANCE"], "AllowedOrigins": ["*"]}]}},
            {"Code": "InvalidRequest"},
        ),
        ("ownership_controls", {"OwnershipControls": {"Rules": [{"ObjectOwnership": "Mine"}]}}, MALFORMED),
        ("encryption", {"ServerSideEncryptionConfiguration": {"Rules": []}}, MALFORMED),
        (
            "website",
            {"WebsiteConfiguration": {"IndexDocument": {"Suffix": "a/b"}}},
            {"Code": "InvalidArgument", "ArgumentName": "IndexDocument", "ArgumentValue": "a/b"},
        ),
        ("accelerate_configuration", {"AccelerateConfiguration": {"Status": "On"}}, MALFORMED),
        (
            "logging",
            {"BucketLoggingStatus": {"LoggingEnabled": {"TargetBucket": "never", "TargetPrefix": ""}}},
            {"Code": "InvalidTargetBucketForLogging", "TargetBucket": "never"},
        ),
        (
            "tagging",
            {"Tagging": {"TagSet": [{"Key": "aws:a", "Value": ""}]}},
            {"Code": "InvalidTag"},
        ),
    ],
)
def test_a_configuration_that_s3_does_not_take_is_refused(
    s3: Any, operation: str, arguments: dict[str, Any], expected: dict[str, str]
) -> None:
    refused = error(lambda: getattr(s3, f"put_bucket_{operation}")(Bucket="bucket", **arguments))
    assert refused.items() >= expected.items()


def test_configurations_with_ids_are_listed_found_and_removed(s3: Any) -> None:
    for name in ("b", "a"):
        given = {"Id": name, "Filter": {"Prefix": name}}
        s3.put_bucket_metrics_configuration(Bucket="bucket", Id=name, MetricsConfiguration=given)
    listed = s3.list_bucket_metrics_configurations(Bucket="bucket")["MetricsConfigurationList"]
    assert [configuration["Id"] for configuration in listed] == ["a", "b"]
    found = s3.get_bucket_metrics_configuration(Bucket="bucket", Id="a")["MetricsConfiguration"]
    assert found == {"Id": "a", "Filter": {"Prefix": "a"}}
    s3.delete_bucket_metrics_configuration(Bucket="bucket", Id="a")
    missing = error(lambda: s3.get_bucket_metrics_configuration(Bucket="bucket", Id="a"))
    assert missing["Code"] == "NoSuchConfiguration"
