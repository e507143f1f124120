"""Turns the errors of boto3 into errors with a cause and a remedy."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, TypeAlias

from botocore import exceptions, xform_name
from botocore.exceptions import BotoCoreError, ClientError

from pedigree.account.errors import (
    AbsentError,
    CallRefusedError,
    DeniedError,
    OperationsError,
    TransientError,
    UnreachableError,
)
from pedigree.local_endpoint import is_loopback

Reason: TypeAlias = tuple[str, str]
"""A cause and a remedy."""

# How each service says that something is not there: a code and, where that says other things too, words of the message.
_ABSENCE: Mapping[str, tuple[tuple[str, str], ...]] = {
    "ec2": ((".NotFound", ""),),
    "iam": (("NoSuchEntity", ""),),
    "lambda": (("ProvisionedConcurrencyConfigNotFoundException", ""),),
    "s3": (("NoSuch", ""), ("404", ""), ("ServerSideEncryptionConfig", "")),
    "sqs": (("NonExistentQueue", ""), ("QueueDoesNotExist", "")),
    "ssm": (("ParameterNotFound", ""),),
    "sagemaker": (
        ("ValidationException", "does not exist"),
        ("ValidationException", "Could not find"),
        ("ValidationException", "not found"),
    ),
}
_EVERYWHERE = (("ResourceNotFoundException", ""), ("ResourceNotFound", ""), ("ObjectNotFoundException", ""))
_DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError", "403", "Forbidden"}
_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired"}
_UNKNOWN = {
    "AuthFailure",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "OptInRequired",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}
# Temporary: throttling, a fault of AWS, or a cut connection.
_THROTTLED = re.compile(r"Throttl|TooManyRequests|RequestLimitExceeded|SlowDown")
_BROKEN = re.compile(r"^Internal|^Service(Exception|Failure|Unavailable)|RequestTimeout|^50\d$")
_CUT_OFF = (exceptions.ConnectionError, exceptions.HTTPClientError, exceptions.IncompleteReadError)
_MACHINES = "ask for more under Service Quotas in the console, or choose another machine in settings"
_MORE = "ask for more under Service Quotas in the console, or remove what is no longer needed"
# Quotas: code, words of the message, and what to do.
_QUOTAS: tuple[tuple[str, str, str], ...] = (
    ("ResourceLimitExceeded", "", _MACHINES),
    ("VcpuLimitExceeded", "", _MACHINES),
    ("InstanceLimitExceeded", "", _MACHINES),
    ("MaxSpotInstanceCountExceeded", "", _MACHINES),
    ("LimitExceeded", "", _MORE),
    ("ServiceQuotaExceededException", "", _MORE),
    ("CodeStorageExceededException", "", _MORE),
    (
        "InvalidParameterValueException",
        "UnreservedConcurrentExecution",
        "ask for more concurrent executions of Lambda under Service Quotas in the console, or lower "
        "functions.predict.reserved_concurrency in settings (0: none set aside)",
    ),
)
_TAKEN: Mapping[str, Reason] = {
    "BucketAlreadyExists": ("another account has a bucket of that name", "choose another with site.bucket in settings")
}
# Policies have names of their own for some services and calls.
_PREFIXES = {"resourcegroupstaggingapi": "tag", "stepfunctions": "states"}
_ACTIONS = {
    ("lambda", "Invoke"): "InvokeFunction",
    ("s3", "DeleteObjects"): "DeleteObject",
    ("s3", "GetBucketEncryption"): "GetEncryptionConfiguration",
    ("s3", "GetBucketLifecycleConfiguration"): "GetLifecycleConfiguration",
    ("s3", "GetPublicAccessBlock"): "GetBucketPublicAccessBlock",
    ("s3", "HeadBucket"): "ListBucket",
    ("s3", "HeadObject"): "GetObject",
    ("s3", "ListObjectVersions"): "ListBucketVersions",
    ("s3", "PutBucketEncryption"): "PutEncryptionConfiguration",
    ("s3", "PutBucketLifecycleConfiguration"): "PutLifecycleConfiguration",
    ("s3", "PutPublicAccessBlock"): "PutBucketPublicAccessBlock",
}


def code_of(error: ClientError) -> str:
    """AWS's error code."""
    return str(error.response.get("Error", {}).get("Code", ""))


def message_of(error: ClientError) -> str:
    """AWS's error message."""
    return " ".join(str(error.response.get("Error", {}).get("Message", "")).split())


def is_absence(error: ClientError, service: str) -> bool:
    """Whether an error means that the resource does not exist."""
    code, message = code_of(error), message_of(error)
    return any(name in code and words in message for name, words in (*_ABSENCE.get(service, ()), *_EVERYWHERE))


def explained(
    error: ClientError | BotoCoreError, service: str, operation: str, arguments: Mapping[str, Any], caller: str
) -> OperationsError:
    """The error of boto3 as one with a cause and a remedy."""
    if not isinstance(error, ClientError):
        return _unreachable(error, service)
    code, action = code_of(error), action_of(error, service, operation)
    if code in _DENIED:
        return _denied(error, action, arguments, caller)
    if code in _EXPIRED:
        return UnreachableError(
            "the AWS credentials have expired", "log in anew (aws sts get-caller-identity shows them)"
        )
    if code in _UNKNOWN:
        return UnreachableError(
            f"AWS does not know the credentials there: {message_of(error)} ({code})",
            "check which profile is in use, and that the account has the region of settings enabled",
        )
    cause, remedy = _reason(code, message_of(error), _status(error))
    return _kind(error, service)(f"{action}: {cause}", remedy, code=code)


def partial(failures: Sequence[Mapping[str, Any]], service: str, operation: str) -> CallRefusedError:
    """The error of a batch call that failed for some entries; the first one stands for all."""
    first = failures[0]
    code = str(first.get("ErrorCode") or first.get("Code") or "")
    message = " ".join(str(first.get("ErrorMessage") or first.get("Message") or "").split())
    return CallRefusedError(
        f"{service} {operation}: {len(failures)} failed, the first with: {message} ({code})", code=code
    )


def _status(error: ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _kind(error: ClientError, service: str) -> type[CallRefusedError]:
    """Whether the resource is absent, a retry may help, or neither."""
    if is_absence(error, service):
        return AbsentError
    code = code_of(error)
    passes = _THROTTLED.search(code) or _BROKEN.search(code) or _status(error) >= HTTPStatus.INTERNAL_SERVER_ERROR
    return TransientError if passes else CallRefusedError


def _reason(code: str, message: str, status: int) -> Reason:
    for name, words, remedy in _QUOTAS:
        if name in code and words in message:
            return f"a quota is used up: {message}", remedy
    if _THROTTLED.search(code):
        return f"AWS is asked too often: {message} ({code})", "run it again in a minute"
    if _BROKEN.search(code) or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return f"AWS has a fault of its own: {message} ({code})", "run it again"
    return _TAKEN.get(code, (f"{message} ({code})", ""))


def action_of(error: ClientError, service: str, operation: str) -> str:
    """The action as policies name it: from AWS's message, if it names one."""
    named = re.search(r"not authorized to perform: ([\w-]+:\w+)", message_of(error))
    if named:
        return named[1]
    method = error.operation_name if xform_name(error.operation_name) == operation else operation
    return f"{_PREFIXES.get(service, service)}:{_ACTIONS.get((service, method), method)}"


def _denied(error: ClientError, action: str, arguments: Mapping[str, Any], caller: str) -> DeniedError:
    message = message_of(error)
    who = re.search(r"User: (\S+) is not authorized", message)
    resource = re.search(r"on resource: (\S+)", message)
    denying = re.search(r"with an explicit deny in (an? [\w -]+)", message)
    on = resource[1].rstrip(".") if resource else _subject(arguments)
    whose = who[1] if who else caller or "the caller"
    what = f"{whose} may not {action}{f' on {on}' if on else ''}"
    if denying:
        return DeniedError(f"{what}: {denying[1]} forbids it", "ask its owner")
    return DeniedError(what, "allow it in the policy of that user or role")


def _subject(arguments: Mapping[str, Any]) -> str:
    """The resource of a call: the first plain text among its arguments."""
    return next((value for value in arguments.values() if isinstance(value, str)), "")


def _unreachable(error: BotoCoreError, service: str) -> OperationsError:
    if isinstance(error, exceptions.ParamValidationError):
        raise error  # a request that does not fit its own shape is our bug
    endpoint = str(error.kwargs.get("endpoint_url", ""))
    if isinstance(error, _CUT_OFF) and is_loopback(endpoint):
        return _connection_error(error)(f"the local AWS does not answer at {endpoint}", "`pedigree local up` starts it")
    for kind, reason in _UNREACHABLE.items():
        if isinstance(error, kind):
            return _connection_error(error)(*reason(error, service))
    cause = " ".join(str(error).split())
    return _connection_error(error)(f"{service} could not be asked: {cause}", "check the network, and run it again")


def _connection_error(error: BotoCoreError) -> type[OperationsError]:
    """TransientError for a connection that was cut, UnreachableError for one that could not be made."""
    is_passing = isinstance(error, _CUT_OFF) and not isinstance(error, exceptions.SSLError)
    return TransientError if is_passing else UnreachableError


_UNREACHABLE: Mapping[type[BotoCoreError], Callable[[BotoCoreError, str], Reason]] = {
    exceptions.NoCredentialsError: lambda _error, _service: (
        "there are no AWS credentials here",
        "log in with aws sso login or aws configure, or choose a profile with --profile",
    ),
    exceptions.PartialCredentialsError: lambda error, _service: (
        f"the AWS credentials are incomplete: {error}",
        "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, both",
    ),
    exceptions.ProfileNotFound: lambda error, _service: (str(error), "see aws configure list-profiles"),
    exceptions.SSOError: lambda error, _service: (f"the login has ended ({error})", "log in with aws sso login"),
    exceptions.EndpointConnectionError: lambda error, service: (
        f"{service} does not answer: {error}",
        "check the region in settings and the network",
    ),
}
