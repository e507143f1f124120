"""Which actions calls need, and which of them the operator's policies do not allow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase

from botocore.exceptions import ClientError

from pedigree.account import refusals
from pipeline.account import roles
from tests.support.accounts import client, settings

# What some operations need besides the action of their own name.
_ALSO = {
    "CreateBucket": {"s3:TagResource"},
    "CreateEventSourceMapping": {"lambda:TagResource"},
    "CreateFunction": {"iam:PassRole", "lambda:TagResource"},
    "CreateInstanceProfile": {"iam:TagInstanceProfile"},
    "CreateLogGroup": {"logs:TagResource"},
    "CreateModelPackageGroup": {"sagemaker:AddTags"},
    "CreateQueue": {"sqs:TagQueue"},
    "CreateRole": {"iam:TagRole"},
    "PutRule": {"events:TagResource"},
    "RunInstances": {"ec2:CreateTags", "iam:PassRole"},
    "UpdateFunctionConfiguration": {"iam:PassRole"},
}


def actions(service: str, operation: str) -> set[str]:
    """The actions that a call needs; its operation is named as in boto3 or as in the API."""
    name = operation if operation[0].isupper() else client(service).meta.method_to_api_mapping[operation]
    return {refusals.action_of(ClientError({"Error": {}}, name), service, name), *_ALSO.get(name, ())}


def refused(needed: Iterable[str]) -> list[str]:
    """Those of the actions that the operator's policies do not allow."""
    patterns = set(_allowed())
    return sorted(action for action in needed if not any(fnmatchcase(action, pattern) for pattern in patterns))


def _allowed() -> Iterator[str]:
    for part in roles.documents(settings())["operator"].parts.values():
        for statement in part["Statement"]:
            allowed = statement["Action"] if statement["Effect"] == "Allow" else []
            yield from [allowed] if isinstance(allowed, str) else allowed
