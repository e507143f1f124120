"""When moto does not answer but fails: a request that it does not expect, or something that it cannot do.

What its model allows and moto cannot take is refused as a request that is not valid, and the log says what happened. A
failure in what is mended of moto is a bug of ours, and is told as one.
"""

from __future__ import annotations

import logging
import traceback

from werkzeug import Response

from pedigree.localaws.http.protocol.errors import InvalidRequestError, ServiceError

_LOG = logging.getLogger(__name__)
_FIRST_SERVER_FAULT = 500
_BAD_REQUEST = 400


class _WordsError(Exception):
    """An answer of moto's that is none of the service."""


def check(operation: str, answer: Response) -> None:
    """Let an answer pass that a service could have given."""
    if answer.status_code >= _BAD_REQUEST and answer.get_data().startswith((b"<!doctype", b"<!DOCTYPE")):
        raise ServiceError("ResourceNotFoundException", f"{operation}: nothing can have this name", 404)
    if answer.status_code >= _FIRST_SERVER_FAULT:
        raise _WordsError(f"{operation}: {answer.status} {answer.get_data(as_text=True)[:1000]}")


def told(operation: str, error: Exception) -> Exception:
    """What is answered instead."""
    if isinstance(error, ServiceError):
        return error
    if isinstance(error, NotImplementedError):
        return ServiceError("UnknownOperationException", f"{operation} is not supported by the local AWS: {error}")
    frames = traceback.extract_tb(error.__traceback__)
    if frames and "localaws" in frames[-1].filename and not isinstance(error, _WordsError):
        return error
    _LOG.warning("%s failed in what keeps the records; nothing has changed", operation, exc_info=error)
    return InvalidRequestError(
        f"{operation} cannot be carried out by the local AWS with these values ({type(error).__name__}: {error})"[:1000]
    )
