"""A session of a role on the local AWS, as a notebook of SageMaker has: `pedigree local env --as-role NAME`."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from pedigree.cli import local_environment
from pedigree.cli.errors import UsageError

if TYPE_CHECKING:
    from pedigree.localaws.process import Daemon

SESSION = "SageMaker"
"""What SageMaker calls the sessions of its notebooks."""
_DENIED = "AccessDenied"


def variables(running: Daemon, name_or_arn: str) -> dict[str, str]:
    """The variables from which AWS clients read the credentials of a new session; UsageError if there is none.

    This process uses the local AWS from here on, whatever account its environment was for.
    """
    from botocore.exceptions import ClientError

    from pedigree.account.connect import connect

    local_environment.enter(running, os.environ)
    account = connect()
    iam, sts = account.clients("iam"), account.clients("sts")
    role = _find(iam, name_or_arn)
    try:
        taken = sts.assume_role(
            RoleArn=role["Arn"], RoleSessionName=SESSION, DurationSeconds=role.get("MaxSessionDuration", 3600)
        )["Credentials"]
    except ClientError as error:
        if error.response["Error"]["Code"] != _DENIED:
            raise
        remedy = "let its trust policy allow sagemaker.amazonaws.com to assume it"
        raise UsageError(error.response["Error"]["Message"], remedy) from None
    return {
        "AWS_ACCESS_KEY_ID": taken["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": taken["SecretAccessKey"],
        "AWS_SESSION_TOKEN": taken["SessionToken"],
    }


def _find(iam: Any, name_or_arn: str) -> Mapping[str, Any]:
    """The role; an ARN must be the role's own."""
    roles: list[Mapping[str, Any]] = [
        role for page in iam.get_paginator("list_roles").paginate() for role in page["Roles"]
    ]
    for role in roles:
        if name_or_arn in (role["RoleName"], role["Arn"]):
            return role
    raise UsageError(f"the local AWS has no role {name_or_arn}", _remedy(role["RoleName"] for role in roles))


def _remedy(names: Iterable[str]) -> str:
    existing = ", ".join(sorted(names)[:5])
    return f"name one that it has: {existing}" if existing else "make it with: `aws iam create-role`"
