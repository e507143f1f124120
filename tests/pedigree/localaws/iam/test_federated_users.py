"""Federated users: the keys that GetFederationToken gives out open what they should, through boto3."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from pedigree.localaws.daemon import ACCOUNT, LocalAws
from tests.support.local_aws import client, running_local_aws
from tests.support.users import allowing, document, made_user, refused, user_client


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    with running_local_aws(tmp_path_factory.mktemp("local"), enforces_iam=True) as local:
        yield local


def test_a_federated_user_may_do_what_its_policy_and_its_giver_allow(local: LocalAws) -> None:
    key = made_user(local, "giver", allowing("s3:ListAllMyBuckets", "sts:GetFederationToken"))
    sts = user_client(local, "sts", key)
    given = sts.get_federation_token(Name="guest", Policy=document(allowing("s3:*", "sts:*")), DurationSeconds=900)
    user = {"FederatedUserId": f"{ACCOUNT}:guest", "Arn": f"arn:aws:sts::{ACCOUNT}:federated-user/guest"}
    assert given["FederatedUser"] == user
    guest = given["Credentials"]
    assert user_client(local, "sts", guest).get_caller_identity()["Arn"] == user["Arn"]
    assert user_client(local, "s3", guest).list_buckets()["Buckets"] == []
    refused(lambda: user_client(local, "s3", guest).create_bucket(Bucket="of-a-guest"), "AccessDenied", 403)
    nothing = sts.get_federation_token(Name="nobody")
    assert nothing["PackedPolicySize"] == 0
    refused(user_client(local, "s3", nothing["Credentials"]).list_buckets, "AccessDenied", 403)
    again = user_client(local, "sts", guest)
    assert "session credentials" in refused(lambda: again.get_federation_token(Name="more"), "AccessDenied", 403)


def test_a_federated_user_of_the_account_itself_may_do_what_its_policy_allows(local: LocalAws) -> None:
    given = client(local.url, "sts").get_federation_token(Name="guest", Policy=document(allowing("s3:List*")))
    assert user_client(local, "s3", given["Credentials"]).list_buckets()["Buckets"] == []


def test_keys_of_federated_users_outlive_a_restart(tmp_path: Any) -> None:
    with running_local_aws(tmp_path, enforces_iam=True) as local:
        given = client(local.url, "sts").get_federation_token(Name="guest", Policy=document(allowing("s3:*")))
    with running_local_aws(tmp_path, enforces_iam=True) as local:
        assert user_client(local, "s3", given["Credentials"]).list_buckets()["Buckets"] == []
