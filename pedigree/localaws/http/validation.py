"""A request of a service whose records are moto's: read once, held against the model, handed on as it was read.

moto finds out by itself what is asked of it, in headers, query and body, wherever it finds something first. So nothing
is handed on but what decides: the protocol's own headers, and those that the operation has members for.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.http.protocol.validator import checked
from pedigree.localaws.http.chain import Application, Environ, StartResponse
from pedigree.localaws.http.protocol import parser as reading
from pedigree.localaws.http.protocol import rest as paths
from pedigree.localaws.iam.actions import TABLES
from pedigree.localaws.iam.calls import Call
from pedigree.localaws.http.protocol.models import input_shape, model
from pedigree.localaws.moto import bounds
from pedigree.localaws.http.protocol.typed import typed

OPERATION = "localaws.operation"
_KEPT = frozenset(
    f"HTTP_{name}"
    for name in ("HOST", "AUTHORIZATION", "X_AMZ_TARGET", "X_AMZ_DATE", "X_AMZ_SECURITY_TOKEN", "X_AMZN_QUERY_MODE")
)
_BY_PATH = ("lambda", "scheduler")
_FORM = "application/x-www-form-urlencoded"
# A queue has a path of its own, to which older clients send what they ask of it.
_PATHS: Mapping[str, re.Pattern[str]] = {"sqs": re.compile(r"/(\d{12}/[\w.-]{1,80})?")}
_ROOT = re.compile("/")

# SQS's model has forgotten what its members were called before it spoke JSON.
_UNNAMED = (("sqs", True),)

Supports = Callable[[str, str], bool]


class UnsupportedError(ServiceError):
    """An operation that the service has not, or that is not supported on this machine."""

    def __init__(self, service: str, operation: str) -> None:
        known = operation in model(TABLES[service].model).operation_names
        why = "is not supported by the local AWS" if known else f"is no operation of {service}"
        status = 404 if service in _BY_PATH else 400
        super().__init__("UnknownOperationException", f"{operation or 'The request'} {why}", status)


class Intake:
    """A service that is only asked what its model knows."""

    def __init__(self, inside: Application, supports: Supports) -> None:
        self._inside = inside
        self._supports = supports

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """The service's answer; ServiceError for what it is not asked."""
        call = self._call(environ)
        shape = input_shape(TABLES[call.service].model, call.operation)
        is_form = call.service not in _BY_PATH and not environ.get("HTTP_X_AMZ_TARGET")
        if (call.service, is_form) not in _UNNAMED:
            bounds.check(call.service, checked(shape, typed(shape, call.members, is_flat=is_form)))
        return self._inside(_handed_on(environ, call), start_response)

    def _call(self, environ: Environ) -> Call:
        service = environ["localaws.service"]
        call = reading.read(environ)
        is_here = service in _BY_PATH or _PATHS.get(service, _ROOT).fullmatch(environ.get("PATH_INFO") or "/")
        if call is None or not is_here:
            raise UnsupportedError(service, "")
        target = environ.get("HTTP_X_AMZ_TARGET")
        prefix = model(TABLES[service].model).metadata.get("targetPrefix")
        is_own = target is None or target == f"{prefix}.{call.operation}"
        if not is_own or not self._supports(service, call.operation):
            raise UnsupportedError(service, call.operation)
        return call


def _handed_on(environ: Environ, call: Call) -> Environ:
    """The same request with nothing that says something else; it is told what was read."""
    service, shape = call.service, input_shape(TABLES[call.service].model, call.operation)
    kept = _KEPT | (_headers(shape) if shape is not None else frozenset())
    told = {name: value for name, value in environ.items() if not name.startswith("HTTP_") or name in kept}
    told[OPERATION] = call.operation
    if "HTTP_X_AMZ_TARGET" in environ:
        told["QUERY_STRING"] = ""
        told["CONTENT_TYPE"] = (
            f"application/x-amz-json-{model(TABLES[service].model).metadata.get('jsonVersion', '1.1')}"
        )
    elif service not in _BY_PATH:
        told["CONTENT_TYPE"] = _FORM
        return told
    if not (service in _BY_PATH and shape is not None and paths.has_payload(shape)):
        _escape(told)
    return told


def _escape(environ: Environ) -> None:
    """moto takes a body for a form as well, if there is no query: let there be nothing in it that parts one."""
    content = reading.body(environ).replace(b"&", b"\\u0026")
    environ["wsgi.input"], environ["CONTENT_LENGTH"] = io.BytesIO(content), str(len(content))


def _headers(shape: Any) -> frozenset[str]:
    """The headers that are members of a request."""
    members = [one.serialization for one in shape.members.values()]
    names = [one["name"] for one in members if one.get("location") == "header"]
    return frozenset(f"HTTP_{name.upper().replace('-', '_')}" for name in names)
