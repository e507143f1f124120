"""The errors of S3, which has codes of its own."""

from __future__ import annotations

from pedigree.localaws.http.protocol.errors import ServiceError


class ObjectsError(ServiceError):
    """An answer of S3 that is an error."""


def no_bucket(name: str) -> ObjectsError:
    """There is no such bucket."""
    return ObjectsError("NoSuchBucket", f"The specified bucket does not exist: {name}", 404)


def no_key(key: str) -> ObjectsError:
    """There is no such object."""
    return ObjectsError("NoSuchKey", f"The specified key does not exist: {key}", 404)


def invalid(message: str) -> ObjectsError:
    """A request that S3 does not take."""
    return ObjectsError("InvalidArgument", message, 400)


def unsupported(what: str) -> ObjectsError:
    """What S3 can do and this machine cannot. The status is no server's fault: to ask again does not help."""
    return ObjectsError("NotImplemented", f"{what} is not supported by the local AWS", 405)
