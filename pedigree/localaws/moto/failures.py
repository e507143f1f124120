"""What is answered when moto fails: on a request that it does not expect, or for something that it cannot do.

A request that the model allows and moto cannot take is refused as invalid, and the log has the traceback. A failure in
the patches is a bug of ours, and stays one.
"""

from __future__ import annotations

import logging
import traceback

from werkzeug import Response

from pedigree.localaws.http.protocol.errors import InvalidRequestError, ServiceError

_LOG = logging.getLogger(__name__)
_FIRST_SERVER_FAULT = 500
_BAD_REQUEST = 400


class _NoServiceAnswerError(Exception):
    """An answer of moto's that the service would not give."""


def check(operation: str, answer: Response) -> None:
    """Let an answer pass that the service could have given."""
    if answer.status_code >= _BAD_REQUEST and answer.get_data().startswith((b"<!doctype", b"<!DOCTYPE")):
        raise ServiceError("ResourceNotFoundException", f"{operation}: nothing can have this name", 404)
    if answer.status_code >= _FIRST_SERVER_FAULT:
        raise _NoServiceAnswerError(f"{operation}: {answer.status} {answer.get_data(as_text=True)[:1000]}")


def translated(operation: str, error: Exception) -> Exception:
    """The error that a client gets for one of moto's."""
    if isinstance(error, ServiceError):
        return error
    if isinstance(error, NotImplementedError):
        return ServiceError("UnknownOperationException", f"{operation} is not supported by the local AWS: {error}")
    frames = traceback.extract_tb(error.__traceback__)
    if frames and "localaws" in frames[-1].filename and not isinstance(error, _NoServiceAnswerError):
        return error
    _LOG.warning("%s failed in moto; nothing has changed", operation, exc_info=error)
    return InvalidRequestError(
        f"{operation} cannot be carried out by the local AWS with these values ({type(error).__name__}: {error})"[:1000]
    )
