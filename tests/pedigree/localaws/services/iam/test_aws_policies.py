"""The policies that AWS manages are there: they can be read, attached and listed, and they decide."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pedigree.iam import parse
from pedigree.localaws.daemon import LocalAws
from tests.support.local_aws import client, running_local_aws
from tests.support.users import allowing, document, made_user, refused, user_client

AWS = "arn:aws:iam::aws:policy"
FULL, S3 = f"{AWS}/AmazonSageMakerFullAccess", f"{AWS}/AmazonS3FullAccess"
BASIC = f"{AWS}/service-role/AWSLambdaBasicExecutionRole"
TRUST = document({"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"})


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    with running_local_aws(tmp_path_factory.mktemp("local"), enforces_iam=True) as local:
        yield local


@pytest.fixture
def iam(local: LocalAws) -> Any:
    return client(local.url, "iam")


def attached(iam: Any, role: str) -> list[str]:
    return [policy["PolicyArn"] for policy in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]]


@pytest.mark.parametrize("arn", [FULL, S3, BASIC, f"{AWS}/AWSLambdaExecute"])
def test_a_policy_of_aws_is_read_and_attached(iam: Any, arn: str) -> None:
    policy = iam.get_policy(PolicyArn=arn)["Policy"]
    version = iam.get_policy_version(PolicyArn=arn, VersionId=policy["DefaultVersionId"])["PolicyVersion"]
    assert version["Document"]["Statement"]
    name = policy["PolicyName"]
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)
    iam.attach_role_policy(RoleName=name, PolicyArn=arn)
    assert attached(iam, name) == [arn]
    assert iam.get_policy(PolicyArn=arn)["Policy"]["AttachmentCount"] == 1
    iam.detach_role_policy(RoleName=name, PolicyArn=arn)
    assert attached(iam, name) == []


def test_all_policies_of_aws_are_listed_and_can_be_read_by_the_authorizer(iam: Any) -> None:
    pages = iam.get_paginator("list_policies").paginate(Scope="AWS", PaginationConfig={"PageSize": 1000})
    listed = [policy for page in pages for policy in page["Policies"]]
    assert {FULL, S3, BASIC} <= {policy["Arn"] for policy in listed}
    assert len({policy["PolicyId"] for policy in listed}) == len(listed) > 1000
    assert iam.list_policies(Scope="Local")["Policies"] == []
    assert iam.list_policies(PathPrefix="/service-role/", MaxItems=1)["Policies"][0]["Path"] == "/service-role/"
    from moto.iam.aws_managed_policies import aws_managed_policies_data

    for name, entry in json.loads(aws_managed_policies_data).items():
        assert parse(entry["Document"], name=name).statements


def test_a_policy_of_aws_decides(local: LocalAws, iam: Any) -> None:
    key = made_user(local, "ann")
    s3 = user_client(local, "s3", key)
    refused(lambda: s3.list_buckets(), "AccessDenied", 403)
    iam.attach_user_policy(UserName="ann", PolicyArn=S3)
    assert s3.list_buckets()["Buckets"] == []
    iam.put_user_permissions_boundary(UserName="ann", PermissionsBoundary=BASIC)
    refused(lambda: s3.list_buckets(), "AccessDenied", 403)


def test_the_simulator_takes_a_role_with_sagemakers_policy_for_one_that_can_train(iam: Any) -> None:
    role = iam.create_role(RoleName="trainer", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    iam.attach_role_policy(RoleName="trainer", PolicyArn=FULL)
    actions = ["ecr:GetAuthorizationToken", "cloudwatch:PutMetricData", "ec2:CreateNetworkInterface"]
    results = iam.simulate_principal_policy(PolicySourceArn=role, ActionNames=actions)["EvaluationResults"]
    assert [each["EvalDecision"] for each in results] == ["allowed"] * 3
    assert results[0]["MatchedStatements"][0]["SourcePolicyId"] == "AmazonSageMakerFullAccess"


@pytest.mark.parametrize("arn", [f"{AWS}/Nothing", f"{AWS}/AWSLambdaBasicExecutionRole", f"{AWS}/", f"{AWS}/x/{'y'}"])
def test_a_name_that_aws_has_not_is_refused(iam: Any, arn: str) -> None:
    refused(lambda: iam.get_policy(PolicyArn=arn), "NoSuchEntity", 404)


def test_a_policy_of_aws_cannot_be_changed(iam: Any) -> None:
    ask = {"PolicyArn": FULL, "PolicyDocument": document(allowing("*"))}
    refused(lambda: iam.create_policy_version(**ask), "AccessDenied", 403)
    refused(lambda: iam.delete_policy(PolicyArn=FULL), "AccessDenied", 403)


def test_what_is_attached_outlives_the_process_and_nothing_else_is_saved(tmp_path: Path) -> None:
    with running_local_aws(tmp_path) as local:
        iam = client(local.url, "iam")
        iam.list_policies()
        iam.create_role(RoleName="trainer", AssumeRolePolicyDocument=TRUST)
        iam.attach_role_policy(RoleName="trainer", PolicyArn=FULL)
    (saved,) = (tmp_path / "records").glob("iam.*")
    assert saved.stat().st_size < 100_000
    with running_local_aws(tmp_path) as local:
        iam = client(local.url, "iam")
        assert attached(iam, "trainer") == [FULL]
        iam.detach_role_policy(RoleName="trainer", PolicyArn=FULL)
        assert iam.get_policy(PolicyArn=FULL)["Policy"]["AttachmentCount"] == 0
