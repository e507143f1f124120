"""The errors of S3, which has codes of its own."""

from __future__ import annotations

from collections.abc import Mapping

from pedigree.localaws.http.protocol.errors import ServiceError


class S3Error(ServiceError):
    """An answer of S3 that is an error; details are further elements of its document."""

    def __init__(self, code: str, message: str, status: int = 400, **details: str) -> None:
        super().__init__(code, message, status)
        self.details = details


def no_bucket(name: str) -> S3Error:
    """The bucket does not exist."""
    return S3Error("NoSuchBucket", "The specified bucket does not exist", 404, BucketName=name)


def no_key(key: str) -> S3Error:
    """The object does not exist."""
    return S3Error("NoSuchKey", "The specified key does not exist.", 404, Key=key)


def no_version(key: str, version: str) -> S3Error:
    """The object does not have the version."""
    return S3Error("NoSuchVersion", "The specified version does not exist.", 404, Key=key, VersionId=version)


def delete_marker(method: str, headers: Mapping[str, str] | None = None) -> S3Error:
    """What is asked for is a delete marker, which has nothing to read or change."""
    message = "The specified method is not allowed against this resource."
    refusal = S3Error("MethodNotAllowed", message, 405, Method=method, ResourceType="DeleteMarker")
    refusal.headers = {"Allow": "DELETE", **(headers or {})}
    return refusal


def malformed() -> S3Error:
    """A document that is not XML, or not of the operation's schema."""
    message = "The XML you provided was not well-formed or did not validate against our published schema"
    return S3Error("MalformedXML", message, 400)


def bad_argument(name: str, value: str, message: str) -> S3Error:
    """An argument that S3 does not take, named with its value."""
    return S3Error("InvalidArgument", message, 400, ArgumentName=name, ArgumentValue=value)


def bad_request(message: str) -> S3Error:
    """A request whose parts do not go together."""
    return S3Error("InvalidRequest", message, 400)


def invalid(message: str, **details: str) -> S3Error:
    """A request that S3 does not take."""
    return S3Error("InvalidArgument", message, 400, **details)


def unsupported(what: str) -> S3Error:
    """What S3 can do and this machine cannot. The status is no server error, because a retry does not help."""
    return S3Error("NotImplemented", f"{what} is not supported by the local AWS", 405)
