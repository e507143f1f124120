"""What AWS's IAM, STS and Scheduler answered to the tests that LocalStack's owners run against AWS, told in our words.

They are AWS's words and members, so they stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from pedigree.localaws.daemon import ACCOUNT, LocalAws
from tests.support.local_aws import client, running_local_aws
from tests.support.users import allowing, document, refused, user_client

ANYBODY = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": ["sts:AssumeRole", "sts:TagSession"]}
ROLE = f"arn:aws:iam::{ACCOUNT}:role/open"


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    with running_local_aws(tmp_path_factory.mktemp("local"), enforces_iam=True) as local:
        client(local.url, "iam").create_role(RoleName="open", AssumeRolePolicyDocument=document(ANYBODY))
        yield local


def take(local: LocalAws, by: Any = None, **members: Any) -> Any:
    sts = by or client(local.url, "sts")
    return sts.assume_role(**{"RoleArn": ROLE, "RoleSessionName": "Session1", **members})


def tags(**values: str) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in values.items()]


def test_a_schedule_groups_tags_are_put_and_removed_by_its_arn(local: LocalAws) -> None:
    scheduler = client(local.url, "scheduler")
    group = scheduler.create_schedule_group(Name="nightly")["ScheduleGroupArn"]
    scheduler.tag_resource(ResourceArn=group, Tags=tags(a="1", b="2"))
    scheduler.untag_resource(ResourceArn=group, TagKeys=["a"])
    assert scheduler.list_tags_for_resource(ResourceArn=group)["Tags"] == tags(b="2")


@pytest.mark.parametrize(
    "policy", ["AmazonSageMakerFullAccess", "AWSLambdaExecute", "service-role/AWSLambdaBasicExecutionRole"]
)
def test_policies_of_aws_can_be_attached(local: LocalAws, policy: str) -> None:
    iam, arn = client(local.url, "iam"), f"arn:aws:iam::aws:policy/{policy}"
    name = f"with-{arn.rpartition('/')[2]}"
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(ANYBODY))
    iam.attach_role_policy(RoleName=name, PolicyArn=arn)
    attached = iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
    assert [each["PolicyArn"] for each in attached] == [arn]


def test_a_roles_permissions_can_be_simulated(local: LocalAws) -> None:
    answer = client(local.url, "iam").simulate_principal_policy(PolicySourceArn=ROLE, ActionNames=["iam:GetUser"])
    assert [result["EvalDecision"] for result in answer["EvaluationResults"]] == ["implicitDeny"]


def test_the_answer_to_create_role_does_not_say_how_long_sessions_last(local: LocalAws) -> None:
    iam = client(local.url, "iam")
    created = iam.create_role(RoleName="made", AssumeRolePolicyDocument=document(ANYBODY))["Role"]
    assert sorted(created) == ["Arn", "AssumeRolePolicyDocument", "CreateDate", "Path", "RoleId", "RoleName"]
    got = iam.get_role(RoleName="made")["Role"]
    assert (got["MaxSessionDuration"], got["RoleLastUsed"]) == (3600, {})


def test_sts_reads_a_request_before_it_asks_for_permission(local: LocalAws) -> None:
    name = refused(lambda: take(local, RoleSessionName="Session1:2", RoleArn=f"{ROLE}-none"), "ValidationError", 400)
    assert name == (
        "1 validation error detected: Value 'Session1:2' at 'roleSessionName' failed to satisfy constraint: Member "
        r"must satisfy regular expression pattern: [\w+=,.@-]*"
    )
    arn = refused(lambda: take(local, RoleArn="nothing-valid-in-here"), "ValidationError", 400)
    assert arn == "nothing-valid-in-here is invalid"
    missing = refused(lambda: take(local, RoleArn=f"{ROLE}-none"), "AccessDenied", 403)
    assert missing.endswith(f"is not authorized to perform: sts:AssumeRole on resource: {ROLE}-none")


def test_only_what_limits_or_describes_a_session_has_a_size(local: LocalAws) -> None:
    policy = document(allowing("s3:GetObject"))
    assert "PackedPolicySize" not in take(local)
    assert "PackedPolicySize" in take(local, Policy=policy)
    assert "PackedPolicySize" in take(local, Tags=tags(a="1"))


def test_a_sessions_tags_are_refused_if_they_do_not_go_together(local: LocalAws) -> None:
    twice = refused(lambda: take(local, Tags=tags(team="1", Team="2")), "InvalidParameterValue", 400)
    assert twice == "Duplicate tag keys found. Please note that Tag keys are case insensitive."
    without = refused(lambda: take(local, Tags=tags(a="1"), TransitiveTagKeys=["b"]), "InvalidParameterValue", 400)
    assert without == "The specified transitive tag key must be included in the requested tags."


def test_a_session_that_another_one_takes_keeps_the_transitive_tags(local: LocalAws) -> None:
    iam = client(local.url, "iam")
    tagged = {**allowing("s3:ListAllMyBuckets"), "Condition": {"StringEquals": {"aws:PrincipalTag/team": "dogs"}}}
    iam.put_role_policy(RoleName="open", PolicyName="own", PolicyDocument=document(tagged, allowing("sts:*")))
    first = take(local, Tags=tags(team="dogs", other="1"), TransitiveTagKeys=["Team"])["Credentials"]
    taken = user_client(local, "sts", first)
    for key in ("team", "TEAM"):
        words = refused(
            lambda: take(local, taken, Tags=tags(**{key: "cats"})),  # noqa: B023
            "InvalidParameterValue",
            400,
        )
        assert words == (
            "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from "
            "the calling session."
        )
    second = take(local, taken, Tags=tags(other="2"))["Credentials"]
    third = take(local, user_client(local, "sts", second))["Credentials"]
    assert user_client(local, "s3", third).list_buckets()["Buckets"] == []
    untagged = take(local)["Credentials"]
    refused(lambda: user_client(local, "s3", untagged).list_buckets(), "AccessDenied", 403)
