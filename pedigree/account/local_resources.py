"""Brings to a local AWS what a foreign definition expects of its account: roles and buckets; names inputs that lack."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from pedigree.account.account import Account
from pedigree.account.errors import AbsentError
from pedigree.account.named_resources import StepInput, buckets, inputs, roles
from pedigree.account.plan import ApiCall, Change
from pedigree.language.definition import Definition

_SERVICES = ("sagemaker", "lambda", "events", "scheduler")
_EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def missing_roles(account: Account, definition: Definition, pipeline_role: str) -> Iterator[Change]:
    """The roles to create. Their policies are not in the definition, so they may do everything."""
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": [f"{service}.amazonaws.com" for service in _SERVICES]},
        "Action": "sts:AssumeRole",
    }
    for arn in dict.fromkeys((pipeline_role, *roles(definition))):
        path, _, name = arn.partition(":role")[2].rpartition("/")
        if account.find("iam", "get_role", RoleName=name) is None:
            create = {"RoleName": name, "Path": f"{path}/", "AssumeRolePolicyDocument": _document(trust)}
            allow = {"RoleName": name, "PolicyName": "everything", "PolicyDocument": _document(_EVERYTHING)}
            calls = (ApiCall("iam", "create_role", create), ApiCall("iam", "put_role_policy", allow))
            yield Change(
                "create", "role", name, calls, ("its policies are not in the definition, so it may do everything here",)
            )


def missing_buckets(account: Account, definition: Definition) -> Iterator[Change]:
    """The buckets to create."""
    for name in buckets(definition):
        if account.find("s3", "head_bucket", Bucket=name) is None:
            where = {"LocationConstraint": account.region}
            configuration = {"CreateBucketConfiguration": where} if account.region != "us-east-1" else {}
            yield Change("create", "bucket", name, (ApiCall("s3", "create_bucket", {"Bucket": name, **configuration}),))


def check_inputs(account: Account, definition: Definition, enter: str) -> None:
    """Raises AbsentError for the first address that a step reads and that holds nothing.

    The remedy is a command for a shell, after the one that lets it use the local AWS.
    """
    for entry in inputs(definition):
        listed = account.find("s3", "list_objects_v2", Bucket=entry.bucket, Prefix=entry.key, MaxKeys=1)
        if not (listed or {}).get("Contents"):
            command = f"{enter} && aws s3 cp {_source(entry)} {entry.address}"
            raise AbsentError(f"{entry.step} reads {entry.address}, and nothing is there", f"put it there: {command}")


def _source(entry: StepInput) -> str:
    """The words for what is to be copied: an address with a suffix is a file's."""
    return "FILE" if "." in entry.key.rpartition("/")[2] else "--recursive FOLDER"


def _document(statement: Mapping[str, object]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statement})
