"""SageMaker's control plane over HTTP: AWS's JSON protocol, one operation a request."""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Mapping
from typing import Any

from werkzeug import Request, Response

from pedigree.localaws.http.protocol.serializer import error_body
from pedigree.localaws.http.protocol.documents import document
from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.services.sagemaker.control.service import Service

_LOG = logging.getLogger(__name__)
_TYPE = "application/x-amz-json-1.1"
_LARGEST = 8 << 20


class Control:
    """The operations of a service, asked over HTTP."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def answer(self, request: Request) -> Response:
        """What an operation answers, or why not."""
        operation = request.headers.get("X-Amz-Target", "").rpartition(".")[2]
        try:
            told = self._service.answer(operation, _document(request))
        except ServiceError as error:
            return _response(error_body(error.code, error.message), error.status, error.code)
        except Exception:  # noqa: BLE001  # a bug in here is told as AWS tells its own, and the log has all of it
            _LOG.exception("%s", operation)
            failure = f"{operation} failed inside the local AWS; its log says more"
            return _response(error_body("InternalFailure", failure), 500, "InternalFailure")
        return _response(told, 200)


def _document(request: Request) -> Any:
    """The request's body, which is JSON."""
    if (request.content_length or 0) > _LARGEST:
        raise ServiceError("RequestEntityTooLargeException", f"The request is larger than {_LARGEST} bytes", 413)
    return document(request.get_data())


def _response(body: Mapping[str, Any], status: int, code: str = "") -> Response:
    headers = {"x-amzn-RequestId": str(uuid.uuid4()), **({"x-amzn-errortype": code} if code else {})}
    return Response(json.dumps(body), status, headers, content_type=_TYPE)
