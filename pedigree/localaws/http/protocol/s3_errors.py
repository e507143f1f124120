"""How S3 says no: a code, words and a status, as XML."""

from __future__ import annotations


class ObjectsError(Exception):
    """An answer of S3 that is an error."""

    def __init__(self, code: str, message: str, status: int) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


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
