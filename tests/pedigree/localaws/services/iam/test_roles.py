"""Roles as IAM answers and refuses them: of services, with boundaries, with trust that cannot be read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from pedigree.localaws.daemon import LocalAws
from tests.support.local_aws import client, running_local_aws
from tests.support.users import document, refused

SCALING = "sagemaker.application-autoscaling.amazonaws.com"
TRUST = document({"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"})
LINKED = "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"


@pytest.fixture(scope="module")
def iam(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with running_local_aws(tmp_path_factory.mktemp("local")) as local:
        yield _client(local)


def _client(local: LocalAws) -> Any:
    return client(local.url, "iam")


def test_the_role_of_a_service_is_made_once_with_its_policy(iam: Any) -> None:
    role = iam.create_service_linked_role(AWSServiceName=SCALING)["Role"]
    assert (role["RoleName"], role["Path"]) == (LINKED, f"/aws-service-role/{SCALING}/")
    assert role["AssumeRolePolicyDocument"]["Statement"] == [
        {"Effect": "Allow", "Principal": {"Service": SCALING}, "Action": "sts:AssumeRole"}
    ]
    (policy,) = iam.list_attached_role_policies(RoleName=LINKED)["AttachedPolicies"]
    assert policy["PolicyName"] == "AWSApplicationAutoscalingSageMakerEndpointPolicy"
    message = refused(lambda: iam.create_service_linked_role(AWSServiceName=SCALING), "InvalidInput", 400)
    assert message == (f"Service role name {LINKED} has been taken in this account, please try a different suffix.")
    assert iam.delete_service_linked_role(RoleName=LINKED)["DeletionTaskId"]
    with pytest.raises(iam.exceptions.NoSuchEntityException):
        iam.get_role(RoleName=LINKED)


def test_few_services_have_roles_with_a_suffix(iam: Any) -> None:
    def make(service: str, suffix: str) -> Any:
        return iam.create_service_linked_role(AWSServiceName=service, CustomSuffix=suffix)

    message = refused(lambda: make("batch.amazonaws.com", "own"), "InvalidInput", 400)
    assert message == "Custom suffix is not allowed for batch.amazonaws.com"
    names = [make("autoscaling.amazonaws.com", suffix)["Role"]["RoleName"] for suffix in ("one", "two")]
    assert [name.rpartition("_")[2] for name in names] == ["one", "two"]


def test_an_error_has_its_message_once(iam: Any) -> None:
    with pytest.raises(iam.exceptions.NoSuchEntityException) as missing:
        iam.get_role(RoleName="never-made")
    assert missing.value.response["Error"].keys() == {"Type", "Code", "Message"}


def test_trust_that_is_no_json_is_refused_in_words_of_its_own(iam: Any) -> None:
    def make() -> Any:
        return iam.create_role(RoleName="unreadable", AssumeRolePolicyDocument="{")

    assert refused(make, "MalformedPolicyDocument", 400) == "This policy contains invalid Json"


def test_a_boundary_is_called_a_policy(iam: Any) -> None:
    boundary = "arn:aws:iam::aws:policy/AmazonS3FullAccess"
    iam.create_user(UserName="bounded", PermissionsBoundary=boundary)
    iam.create_role(RoleName="bounded", AssumeRolePolicyDocument=TRUST, PermissionsBoundary=boundary)
    described = {"PermissionsBoundaryArn": boundary, "PermissionsBoundaryType": "Policy"}
    assert iam.get_user(UserName="bounded")["User"]["PermissionsBoundary"] == described
    assert iam.get_role(RoleName="bounded")["Role"]["PermissionsBoundary"] == described
