"""What AWS's errors mean to the person at the keyboard: one line with cause and remedy."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from botocore import exceptions, xform_name
from botocore.exceptions import BotoCoreError, ClientError

from operations.errors import DeniedError, OperationsError, RefusedError, UnreachableError

# How each service says that something is not there: a code and, where that says other things too, words of the message.
_ABSENCE: Mapping[str, tuple[tuple[str, str], ...]] = {
    "iam": (("NoSuchEntity", ""),),
    "s3": (("NoSuchBucket", ""), ("NoSuchKey", ""), ("404", ""), ("NoSuch", ""), ("ServerSideEncryptionConfig", "")),
    "sqs": (("NonExistentQueue", ""), ("QueueDoesNotExist", "")),
    "sagemaker": (
        ("ResourceNotFound", ""),
        ("ValidationException", "does not exist"),
        ("ValidationException", "Could not find"),
        ("ValidationException", "not found"),
    ),
}
_EVERYWHERE = (("ResourceNotFoundException", ""), ("ResourceNotFound", ""), ("ObjectNotFoundException", ""))
_DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError", "403", "Forbidden"}
_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired"}
_UNKNOWN = {"InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId", "SignatureDoesNotMatch"}
_QUOTA = {"ResourceLimitExceeded", "LimitExceeded", "LimitExceededException", "ServiceQuotaExceededException"}
_SERVICE_NAMES = {"stepfunctions": "states", "application-autoscaling": "application-autoscaling"}


def code_of(error: ClientError) -> str:
    """AWS's name for what went wrong."""
    return str(error.response.get("Error", {}).get("Code", ""))


def message_of(error: ClientError) -> str:
    """AWS's words for what went wrong."""
    return " ".join(str(error.response.get("Error", {}).get("Message", "")).split())


def is_absence(error: ClientError, service: str) -> bool:
    """Whether an error only says that something is not there."""
    code, message = code_of(error), message_of(error)
    return any(known in code and words in message for known, words in (*_ABSENCE.get(service, ()), *_EVERYWHERE))


def told(
    error: ClientError | BotoCoreError, service: str, operation: str, arguments: Mapping[str, Any], caller: str
) -> OperationsError:
    """An error of boto3 in a user's words."""
    if not isinstance(error, ClientError):
        return _unreachable(error, service)
    code, action = code_of(error), action_of(error, service, operation)
    if code in _DENIED:
        return DeniedError(_denial(error, action, arguments, caller))
    if code in _EXPIRED | _UNKNOWN:
        how = "have expired; log in anew" if code in _EXPIRED else "are not known to AWS; check which profile is in use"
        return UnreachableError(f"the AWS credentials {how} (aws sts get-caller-identity shows them)")
    if code in _QUOTA:
        return RefusedError(
            f"{action}: a quota is used up: {message_of(error)}; ask for more under Service Quotas in the console, "
            "or choose another machine in settings",
            code,
        )
    return RefusedError(f"{action}: {message_of(error)} ({code})", code)


def action_of(error: ClientError, service: str, operation: str) -> str:
    """The action as policies name it; AWS's own message knows best."""
    named = re.search(r"not authorized to perform: ([\w-]+:\w+)", message_of(error))
    if named:
        return named[1]
    method = error.operation_name if xform_name(error.operation_name) == operation else operation
    return f"{_SERVICE_NAMES.get(service, service)}:{method}"


def _denial(error: ClientError, action: str, arguments: Mapping[str, Any], caller: str) -> str:
    message = message_of(error)
    who = re.search(r"User: (\S+) is not authorized", message)
    resource = re.search(r"on resource: (\S+)", message)
    on = resource[1].rstrip(".") if resource else _subject(arguments)
    whose = who[1] if who else caller or "the caller"
    return f"{whose} may not {action}{f' on {on}' if on else ''}; allow it in the policy of that user or role"


def _subject(arguments: Mapping[str, Any]) -> str:
    """What a call is about, as far as its arguments say: the first plain text among them."""
    return next((value for value in arguments.values() if isinstance(value, str)), "")


def _unreachable(error: BotoCoreError, service: str) -> OperationsError:
    for kind, tell in _UNREACHABLE.items():
        if isinstance(error, kind):
            return UnreachableError(tell(error, service))
    if isinstance(error, exceptions.ParamValidationError):
        raise error  # a request that does not fit its own shape is our bug
    return UnreachableError(f"{service} could not be asked: {' '.join(str(error).split())}")


_UNREACHABLE: Mapping[type[BotoCoreError], Callable[[BotoCoreError, str], str]] = {
    exceptions.NoCredentialsError: lambda _error, _service: (
        "there are no AWS credentials here; log in with aws sso login or aws configure, or set AWS_PROFILE"
    ),
    exceptions.PartialCredentialsError: lambda error, _service: (
        f"the AWS credentials are incomplete: {error}; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, both"
    ),
    exceptions.ProfileNotFound: lambda error, _service: f"{error}; see aws configure list-profiles",
    exceptions.SSOError: lambda error, _service: f"the login has ended ({error}); log in with aws sso login",
    exceptions.EndpointConnectionError: lambda error, service: (
        f"{service} does not answer: {error}; check the region in settings and the network"
    ),
}
