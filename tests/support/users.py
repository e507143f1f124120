"""Users of a local AWS that decides by IAM: made with policies, with clients that have their keys."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from pedigree.localaws.daemon import LocalAws
from tests.support.local_aws import REGION, client


def document(*statements: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allowing(*actions: str, resource: str | Sequence[str] = "*") -> Mapping[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource}


def denying(*actions: str, resource: str | Sequence[str] = "*") -> Mapping[str, Any]:
    return {"Effect": "Deny", "Action": list(actions), "Resource": resource}


def made_user(local: LocalAws, name: str, *statements: Mapping[str, Any], **more: Any) -> Mapping[str, str]:
    """Make a user with a policy of these statements, and return its keys."""
    iam = client(local.url, "iam")
    iam.create_user(UserName=name, **more)
    if statements:
        iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=document(*statements))
    key: Mapping[str, str] = iam.create_access_key(UserName=name)["AccessKey"]
    return key


def user_client(local: LocalAws, service: str, key: Mapping[str, str]) -> Any:
    """A client with a user's keys, or with a session's."""
    return boto3.client(
        service,
        region_name=REGION,
        endpoint_url=local.url,
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
        aws_session_token=key.get("SessionToken"),
    )


def refused(ask: Callable[[], Any], code: str, status: int) -> str:
    """What a refusal says."""
    with pytest.raises(ClientError) as raised:
        ask()
    response = raised.value.response
    assert (response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]) == (code, status)
    return str(response["Error"]["Message"])
