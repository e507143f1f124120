"""From an HTTP request to the operation that it asks for, by the protocol that it speaks.

A request is read as the service behind the gate reads it; one that could be read in two ways is refused, since it could
mean one thing here and another there; and so is one that cannot be read at all.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any, TypeAlias
from urllib.parse import parse_qsl

from pedigree.iam import Request
from pedigree.localaws.http.protocol.documents import document
from pedigree.localaws.http.protocol.errors import InvalidRequestError
from pedigree.localaws.http.protocol import query as queries
from pedigree.localaws.http.protocol import rest as paths
from pedigree.localaws.iam.actions import TABLES
from pedigree.localaws.iam.calls import Call
from pedigree.localaws.http.protocol.models import input_shape

Environ: TypeAlias = dict[str, Any]
_BY_PATH = ("lambda", "scheduler", "sagemaker-runtime")
_ONLY_BY_ACTION = ("iam", "sts", "ec2")
_BY_ACTION = (*_ONLY_BY_ACTION, "sqs", "monitoring")


def read(environ: Environ) -> Call | None:
    """What is asked of a service that has a table; None where that cannot be made out."""
    service = service_of(environ)
    target, asked = environ.get("HTTP_X_AMZ_TARGET", ""), _flat(environ.get("QUERY_STRING", ""))
    form = _flat(body(environ).decode(errors="replace")) if service in _BY_ACTION and not target else {}
    if sum((bool(target), "Action" in asked, "Action" in form)) > (service not in _BY_PATH):
        raise InvalidRequestError("The request names its operation twice")
    if service in _BY_PATH:
        return _by_path(environ, service, asked)
    action = {**asked, **form}.get("Action", "")
    if action and service in _BY_ACTION:
        shape = input_shape(TABLES[service].model, action)
        return _call(environ, service, action, queries.members(shape, {**asked, **form}, is_ec2=service == "ec2"))
    if target and service not in _ONLY_BY_ACTION:
        return _call(environ, service, target.rpartition(".")[2], _document(environ))
    return None


def service_of(environ: Environ) -> str:
    """The service that is asked: SageMaker's two planes sign alike, and only one of them names its operations."""
    service = str(environ["localaws.service"])
    is_runtime = service == "sagemaker" and "HTTP_X_AMZ_TARGET" not in environ
    return "sagemaker-runtime" if is_runtime else service


def body(environ: Environ) -> bytes:
    """The request's body, which can be read once more after this."""
    length = int(environ.get("CONTENT_LENGTH") or 0)
    content: bytes = environ["wsgi.input"].read(length) if length else b""
    environ["wsgi.input"] = io.BytesIO(content)
    return content


def _by_path(environ: Environ, service: str, asked: Mapping[str, str]) -> Call | None:
    found = paths.match(TABLES[service].model, environ["REQUEST_METHOD"], environ.get("PATH_INFO", "/"), asked)
    if found is None:
        return None
    operation, labels = found
    shape = input_shape(TABLES[service].model, operation)
    content = {} if shape is None or paths.has_payload(shape) else _document(environ)
    headers = {key[5:].replace("_", "-").lower(): value for key, value in environ.items() if key.startswith("HTTP_")}
    return _call(environ, service, operation, paths.members(shape, labels, asked, headers, content))


def _call(environ: Environ, service: str, operation: str, members: Mapping[str, Any]) -> Call:
    return Call(service, operation, members, environ["localaws.region"])


def _flat(text: str) -> dict[str, str]:
    return dict(parse_qsl(text, keep_blank_values=True))


def _document(environ: Environ) -> Mapping[str, Any]:
    return document(body(environ))


def unknown(environ: Environ) -> Request:
    """A request of which only the service is known: whoever may do everything there may make it."""
    return Request(f"{environ['localaws.service']}:{environ['REQUEST_METHOD'].title()}")
