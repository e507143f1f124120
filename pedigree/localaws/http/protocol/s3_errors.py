"""The errors of S3, which has codes of its own."""

from __future__ import annotations

from pedigree.localaws.http.protocol.errors import ServiceError


class S3Error(ServiceError):
    """An answer of S3 that is an error; details are further elements of its document."""

    def __init__(self, code: str, message: str, status: int = 400, **details: str) -> None:
        super().__init__(code, message, status)
        self.details = details


def no_bucket(name: str) -> S3Error:
    """The bucket does not exist."""
    return S3Error("NoSuchBucket", f"The specified bucket does not exist: {name}", 404)


def no_key(key: str) -> S3Error:
    """The object does not exist."""
    return S3Error("NoSuchKey", f"The specified key does not exist: {key}", 404)


def invalid(message: str, **details: str) -> S3Error:
    """A request that S3 does not take."""
    return S3Error("InvalidArgument", message, 400, **details)


def unsupported(what: str) -> S3Error:
    """What S3 can do and this machine cannot. The status is no server error, because a retry does not help."""
    return S3Error("NotImplemented", f"{what} is not supported by the local AWS", 405)
