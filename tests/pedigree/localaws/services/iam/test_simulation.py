"""The simulator of IAM answers as AWS's does, by the decision that the authorizer takes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from pedigree.localaws.daemon import ACCOUNT, LocalAws
from tests.support.local_aws import client, running_local_aws
from tests.support.users import allowing, denying, document, made_user, refused, user_client

TRUST = document({"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"})
ROLE, ARN = "trainer", f"arn:aws:iam::{ACCOUNT}:role/service-role/trainer"
OBJECT = "arn:aws:s3:::data/key"


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    with running_local_aws(tmp_path_factory.mktemp("local"), enforces_iam=True) as local:
        iam = client(local.url, "iam")
        iam.create_role(RoleName=ROLE, Path="/service-role/", AssumeRolePolicyDocument=TRUST)
        statements = (allowing("s3:GetObject", resource="arn:aws:s3:::data/*"), denying("s3:DeleteObject"))
        iam.put_role_policy(RoleName=ROLE, PolicyName="own", PolicyDocument=document(*statements))
        yield local


@pytest.fixture
def iam(local: LocalAws) -> Any:
    return client(local.url, "iam")


def result(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    (only,) = answer["EvaluationResults"]
    return dict(only)


def test_a_role_is_simulated_with_its_policies(iam: Any) -> None:
    actions = ["s3:GetObject", "s3:DeleteObject", "s3:PutObject"]
    results = iam.simulate_principal_policy(PolicySourceArn=ARN, ActionNames=actions, ResourceArns=[OBJECT])
    decisions = {each["EvalActionName"]: each["EvalDecision"] for each in results["EvaluationResults"]}
    assert decisions == dict(zip(actions, ("allowed", "explicitDeny", "implicitDeny"), strict=True))
    own = [{"SourcePolicyId": "role_trainer_own", "SourcePolicyType": "IAM Policy"}]
    assert [each["MatchedStatements"] for each in results["EvaluationResults"]] == [own, own, []]
    assert results["IsTruncated"] is False


def test_without_resources_an_action_needs_to_be_allowed_on_everything(iam: Any) -> None:
    answer = result(iam.simulate_principal_policy(PolicySourceArn=ARN, ActionNames=["s3:GetObject"]))
    assert (answer["EvalResourceName"], answer["EvalDecision"]) == ("*", "implicitDeny")
    assert "ResourceSpecificResults" not in answer


def test_the_most_restrictive_resource_decides_an_action(iam: Any) -> None:
    both = [OBJECT, "arn:aws:s3:::other/key"]
    answer = result(iam.simulate_principal_policy(PolicySourceArn=ARN, ActionNames=["s3:GetObject"], ResourceArns=both))
    assert answer["EvalDecision"] == "implicitDeny"
    specific = {each["EvalResourceName"]: each["EvalResourceDecision"] for each in answer["ResourceSpecificResults"]}
    assert specific == dict(zip(both, ("allowed", "implicitDeny"), strict=True))


def test_policies_of_the_request_are_added(iam: Any) -> None:
    answer = result(
        iam.simulate_principal_policy(
            PolicySourceArn=ARN,
            ActionNames=["sqs:SendMessage"],
            PolicyInputList=[document(denying("ec2:*")), document(allowing("sqs:*"))],
        )
    )
    assert answer["MatchedStatements"] == [{"SourcePolicyId": "PolicyInputList.2", "SourcePolicyType": "IAM Policy"}]


def test_context_decides_conditions_and_what_is_missing_is_named(iam: Any) -> None:
    policy = document({**allowing("s3:*"), "Condition": {"StringEquals": {"s3:Prefix": ["a", "b"]}}})
    ask = {"PolicyInputList": [policy], "ActionNames": ["s3:ListBucket"]}
    assert result(iam.simulate_custom_policy(**ask))["MissingContextValues"] == ["s3:Prefix"]
    entry = {"ContextKeyName": "s3:prefix", "ContextKeyType": "string", "ContextKeyValues": ["b"]}
    answer = result(iam.simulate_custom_policy(**ask, ContextEntries=[entry]))
    assert (answer["EvalDecision"], answer["MissingContextValues"]) == ("allowed", [])
    several = {**entry, "ContextKeyValues": ["a", "b"]}
    refused(lambda: iam.simulate_custom_policy(**ask, ContextEntries=[several]), "InvalidInput", 400)


def test_a_variable_of_the_principal_has_its_value(local: LocalAws, iam: Any) -> None:
    mine = allowing("s3:*", resource="arn:aws:s3:::homes/${aws:username}/*")
    made_user(local, "ann", mine)
    resources = [f"arn:aws:s3:::homes/{name}/file" for name in ("ann", "bob")]
    user = f"arn:aws:iam::{ACCOUNT}:user/ann"
    answer = result(
        iam.simulate_principal_policy(PolicySourceArn=user, ActionNames=["s3:GetObject"], ResourceArns=resources)
    )
    assert [each["EvalResourceDecision"] for each in answer["ResourceSpecificResults"]] == ["allowed", "implicitDeny"]


def test_a_permissions_boundary_limits(iam: Any) -> None:
    ask = {"PolicyInputList": [document(allowing("s3:*"))], "ActionNames": ["s3:GetObject"]}
    limits = document(allowing("sqs:*"))
    answer = result(iam.simulate_custom_policy(**ask, PermissionsBoundaryPolicyInputList=[limits]))
    assert answer["EvalDecision"] == "implicitDeny"
    assert answer["PermissionsBoundaryDecisionDetail"] == {"AllowedByPermissionsBoundary": False}
    denying_all = document(denying("s3:*"))
    answer = result(iam.simulate_custom_policy(**ask, PermissionsBoundaryPolicyInputList=[denying_all]))
    assert answer["EvalDecision"] == "explicitDeny"


def test_the_boundary_of_a_role_is_its_own(iam: Any) -> None:
    limit = iam.create_policy(PolicyName="limit", PolicyDocument=document(allowing("sqs:*")))["Policy"]["Arn"]
    role = iam.create_role(RoleName="limited", AssumeRolePolicyDocument=TRUST, PermissionsBoundary=limit)["Role"]
    everything = iam.create_policy(PolicyName="everything", PolicyDocument=document(allowing("*")))["Policy"]["Arn"]
    iam.attach_role_policy(RoleName="limited", PolicyArn=everything)
    answers = iam.simulate_principal_policy(
        PolicySourceArn=role["Arn"], ActionNames=["sqs:SendMessage", "s3:GetObject"]
    )["EvaluationResults"]
    assert [each["EvalDecision"] for each in answers] == ["allowed", "implicitDeny"]
    assert answers[0]["MatchedStatements"][0]["SourcePolicyId"] == "everything"


def test_a_resource_policy_grants_to_the_caller(iam: Any) -> None:
    policy = document({**allowing("s3:GetObject", resource=OBJECT), "Principal": {"AWS": ARN}})
    ask = {"PolicyInputList": [document(allowing("sqs:*"))], "ActionNames": ["s3:GetObject"], "ResourceArns": [OBJECT]}
    answer = result(iam.simulate_custom_policy(**ask, ResourcePolicy=policy, CallerArn=ARN))
    assert answer["MatchedStatements"] == [{"SourcePolicyId": "ResourcePolicy", "SourcePolicyType": "Resource Policy"}]
    refused(lambda: iam.simulate_custom_policy(**ask, ResourcePolicy=policy), "InvalidInput", 400)


def test_results_come_in_pages(iam: Any) -> None:
    actions = [f"ec2:Describe{number}" for number in range(7)]
    pages = list(
        iam.get_paginator("simulate_principal_policy").paginate(
            PolicySourceArn=ARN, ActionNames=actions, PaginationConfig={"PageSize": 3}
        )
    )
    assert [len(page["EvaluationResults"]) for page in pages] == [3, 3, 1]
    assert [each["EvalActionName"] for page in pages for each in page["EvaluationResults"]] == actions


@pytest.mark.parametrize(
    ("changed", "code", "status"),
    [
        ({"PolicySourceArn": f"arn:aws:iam::{ACCOUNT}:role/nobody"}, "NoSuchEntity", 404),
        ({"PolicySourceArn": f"arn:aws:iam::{ACCOUNT}:role/trainer"}, "NoSuchEntity", 404),
        ({"PolicySourceArn": f"arn:aws:sts::{ACCOUNT}:assumed-role/trainer/me"}, "InvalidInput", 400),
        ({"PolicySourceArn": f"arn:aws:iam::{ACCOUNT}:root"}, "InvalidInput", 400),
        ({"ActionNames": ["s3:*"]}, "ValidationError", 400),
        ({"ActionNames": ["GetObject"]}, "ValidationError", 400),
        ({"ResourceArns": ["data/key"]}, "InvalidInput", 400),
        ({"PolicyInputList": ["{"]}, "InvalidInput", 400),
        ({"PolicyInputList": [json.dumps({"Statement": []})]}, "InvalidInput", 400),
        ({"Marker": "there"}, "ValidationError", 400),
        ({"ResourceHandlingOption": "EC2-VPC-EBS"}, "ValidationError", 400),
    ],
)
def test_what_cannot_be_simulated_is_refused(iam: Any, changed: Mapping[str, Any], code: str, status: int) -> None:
    ask = {"PolicySourceArn": ARN, "ActionNames": ["s3:GetObject"], **changed}
    refused(lambda: iam.simulate_principal_policy(**ask), code, status)


def test_to_simulate_a_principal_is_a_permission_on_it(local: LocalAws) -> None:
    key = made_user(local, "curious", allowing("iam:SimulatePrincipalPolicy", resource=ARN))
    iam = user_client(local, "iam", key)
    assert iam.simulate_principal_policy(PolicySourceArn=ARN, ActionNames=["s3:GetObject"])["EvaluationResults"]
    other = f"arn:aws:iam::{ACCOUNT}:user/curious"
    ask = {"PolicySourceArn": other, "ActionNames": ["s3:GetObject"]}
    refused(lambda: iam.simulate_principal_policy(**ask), "AccessDenied", 403)
