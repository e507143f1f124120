"""A refusal of AWS is reported in one line: the call, the cause and the remedy."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    ProfileNotFound,
    TokenRetrievalError,
)

from pedigree.account.errors import CallRefusedError, DeniedError, OperationsError, TransientError, UnreachableError
from pedigree.account.refusals import explained

CALLER = "arn:aws:iam::123456789012:user/me"


def refusal(code: str, message: str, operation: str, status: int = 400) -> ClientError:
    answer: Any = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, operation)


LOCAL = "http://127.0.0.1:4566/"
ERRORS: dict[str, tuple[ClientError | BotoCoreError, str, str, type[OperationsError], str]] = {
    "a bucket that may not be looked at": (
        refusal("403", "Forbidden", "HeadBucket"), "s3", "head_bucket", DeniedError,
        f"{CALLER} may not s3:ListBucket on images; allow it in the policy of that user or role",
    ),
    "a setting that has another name in policies": (
        refusal("AccessDenied", "Access Denied", "PutBucketLifecycleConfiguration"), "s3",
        "put_bucket_lifecycle_configuration", DeniedError, f"{CALLER} may not s3:PutLifecycleConfiguration on images",
    ),
    "a local AWS that has ended": (
        EndpointConnectionError(endpoint_url=LOCAL), "s3", "head_bucket", TransientError,
        f"the local AWS does not answer at {LOCAL}; `pedigree local up` starts it",
    ),
    "an organisation's no": (
        refusal(
            "AccessDeniedException",
            f"User: {CALLER} is not authorized to perform: lambda:CreateFunction on resource: "
            "arn:aws:lambda:us-east-1:123456789012:function:f with an explicit deny in a service control policy",
            "CreateFunction",
        ),
        "lambda", "create_function", DeniedError,
        "function:f: a service control policy forbids it; ask its owner",
    ),
    "the tagging service": (
        refusal("AccessDeniedException", "no", "GetResources"), "resourcegroupstaggingapi", "get_resources",
        DeniedError, "may not tag:GetResources",
    ),
    "a fresh account's concurrency": (
        refusal(
            "InvalidParameterValueException",
            "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution "
            "below its minimum value of [10].",
            "PutFunctionConcurrency",
        ),
        "lambda", "put_function_concurrency", CallRefusedError,
        "or lower functions.predict.reserved_concurrency in settings (0: none set aside)",
    ),
    "too many roles": (
        refusal("LimitExceeded", "Cannot exceed quota for RolesPerAccount: 1000", "CreateRole"), "iam", "create_role",
        CallRefusedError, "a quota is used up: Cannot exceed quota for RolesPerAccount: 1000; ask for more under",
    ),
    "a bucket's name that is taken": (
        refusal("BucketAlreadyExists", "The requested bucket name is not available", "CreateBucket"), "s3",
        "create_bucket", CallRefusedError,
        "another account has a bucket of that name; choose another with site.bucket",
    ),
    "a region that is not enabled": (
        refusal("UnrecognizedClientException", "The security token is invalid", "GetCallerIdentity"), "sts",
        "get_caller_identity", UnreachableError, "that the account has the region of settings enabled",
    ),
    "too many questions": (
        refusal("TooManyRequestsException", "Rate exceeded", "GetFunction"), "lambda", "get_function", TransientError,
        "AWS is asked too often: Rate exceeded (TooManyRequestsException); run it again in a minute",
    ),
    "a fault of AWS's own": (
        refusal("Strange", "We are sorry", "GetFunction", 502), "lambda", "get_function", TransientError,
        "AWS has a fault of its own: We are sorry (Strange); run it again",
    ),
    "no such profile": (
        ProfileNotFound(profile="work"), "sts", "get_caller_identity", UnreachableError,
        "The config profile (work) could not be found; see aws configure list-profiles",
    ),
    "a login that has ended": (
        TokenRetrievalError(provider="sso", error_msg="Token has expired"), "sts", "get_caller_identity",
        UnreachableError, "Token has expired",
    ),
    "no way there": (
        EndpointConnectionError(endpoint_url="https://sts.mars-1.amazonaws.com"), "sts", "get_caller_identity",
        TransientError, "sts does not answer: ",
    ),
}  # fmt: skip


@pytest.mark.parametrize("which", ERRORS)
def test_it_is_one_line_with_cause_and_remedy(which: str) -> None:
    error, service, operation, kind, words = ERRORS[which]
    answer = explained(error, service, operation, {"Bucket": "images"}, CALLER)
    assert type(answer) is kind
    assert words in str(answer)
    assert "\n" not in str(answer)
