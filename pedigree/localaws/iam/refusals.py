"""A no in AWS's words, and in the form of the protocol in which it was asked."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from werkzeug import Response

from pedigree.iam import Decision, Outcome, Request
from pedigree.localaws.http.protocol import xml
from pedigree.localaws.http.protocol.errors import ServiceError

Write: TypeAlias = Callable[[ServiceError, str], Response]
"""An error that was met at a path, as a response."""


class DeniedError(ServiceError):
    """What somebody may not do."""

    def __init__(self, message: str) -> None:
        super().__init__("AccessDeniedException", message)


def denied(who: str, request: Request, decision: Decision, *, by: str = "identity-based policy") -> DeniedError:
    """Why a request is denied: a policy says no, or none says yes."""
    action, place = _told(request)
    words = f"User: {who} is not authorized to perform: {action}"
    resource = "" if request.resource == "*" else f" on resource: {place}"
    if decision.outcome is Outcome.EXPLICIT_DENY:
        why = f" with an explicit deny in {_article(by)} {by}"
    elif request.action == "sts:AssumeRole":
        why = ""  # of a role that does not trust somebody, AWS says no more
    else:
        why = f" because no {by} allows the {action} action"
    return DeniedError(f"{words}{resource}{why}")


def _told(request: Request) -> tuple[str, str]:
    """An action and a resource as they are told: SQS writes its actions small, S3 its resources in quotes."""
    service = request.action.partition(":")[0]
    action = request.action.lower() if service == "sqs" else request.action
    return action, f'"{request.resource}"' if service == "s3" else request.resource


def _article(word: str) -> str:
    return "an" if word[0] in "aeiou" else "a"


@dataclass(frozen=True)
class Form:
    """How a service refuses: its code for what is denied, the status, who writes it down, and its own other codes."""

    code: str
    status: int
    write: Write
    codes: Mapping[str, str] = field(default_factory=dict)


def response(service: str, error: ServiceError, path: str) -> Response:
    """An error as a service answers it."""
    form = _FORMS.get(service, _JSON_FORM)
    if error.code in form.codes:
        error = ServiceError(form.codes[error.code], error.message, error.status)
    if isinstance(error, DeniedError):
        message = error.message
        if service == "ec2":
            message = f"You are not authorized to perform this operation. {message}"
        error = ServiceError(form.code, message, form.status)
    return form.write(error, path)


def _json(error: ServiceError, _path: str) -> Response:
    body = json.dumps({"__type": error.code, "message": error.message, "Message": error.message})
    headers = {"x-amzn-errortype": error.code, **_id()}
    return Response(body, error.status, headers, content_type="application/x-amz-json-1.1")


def _rest_json(error: ServiceError, path: str) -> Response:
    answer = _json(error, path)
    answer.content_type = "application/json"
    return answer


def _query(error: ServiceError, _path: str) -> Response:
    kept = f"<Type>Sender</Type><Code>{xml.text(error.code)}</Code><Message>{xml.text(error.message)}</Message>"
    request = f"<RequestId>{uuid.uuid4()}</RequestId>"
    body = f"<ErrorResponse><Error>{kept}</Error>{request}</ErrorResponse>"
    return Response(body, error.status, _id(), content_type="text/xml")


def _ec2(error: ServiceError, _path: str) -> Response:
    kept = f"<Code>{xml.text(error.code)}</Code><Message>{xml.text(error.message)}</Message>"
    request = f"<RequestID>{uuid.uuid4()}</RequestID>"
    body = f"<Response><Errors><Error>{kept}</Error></Errors>{request}</Response>"
    return Response(body, error.status, _id(), content_type="text/xml")


def _objects(error: ServiceError, path: str) -> Response:
    return Response(xml.error(error.code, error.message, path), error.status, _id(), content_type="application/xml")


def _queues(error: ServiceError, path: str) -> Response:
    """SQS keeps, beside its JSON, the code that it had before it spoke JSON."""
    answer = _json(error, path)
    answer.headers["x-amzn-query-error"] = f"{error.code};Sender"
    return answer


def _id() -> dict[str, str]:
    return {"x-amzn-RequestId": str(uuid.uuid4())}


_QUERY_CODES = {
    "UnrecognizedClientException": "InvalidClientTokenId",
    "ExpiredTokenException": "ExpiredToken",
    "ValidationException": "ValidationError",
    "SerializationException": "MalformedInput",
    "UnknownOperationException": "InvalidAction",
}
_OBJECT_CODES = {
    "UnrecognizedClientException": "InvalidAccessKeyId",
    "ExpiredTokenException": "ExpiredToken",
    "ValidationException": "InvalidRequest",
    "SerializationException": "InvalidRequest",
    "RequestEntityTooLargeException": "EntityTooLarge",
    "InternalFailure": "InternalError",
}
_MACHINE_CODES = {
    "UnrecognizedClientException": "AuthFailure",
    "ExpiredTokenException": "RequestExpired",
    "ValidationException": "InvalidParameterValue",
    "SerializationException": "InvalidParameterValue",
    "UnknownOperationException": "InvalidAction",
}
_QUEUE_CODES = {"ValidationException": "InvalidParameterValue", "UnknownOperationException": "InvalidAction"}
_METRIC_CODES = {"ValidationException": "ValidationError", "UnknownOperationException": "InvalidAction"}
_PARAMETER_CODES = {"ValidationException": "InvalidParameterException"}
_JSON_FORM = Form("AccessDeniedException", 400, _json)
_FORMS: Mapping[str, Form] = {
    "iam": Form("AccessDenied", 403, _query, _QUERY_CODES),
    "sts": Form("AccessDenied", 403, _query, _QUERY_CODES),
    "ec2": Form("UnauthorizedOperation", 403, _ec2, _MACHINE_CODES),
    "s3": Form("AccessDenied", 403, _objects, _OBJECT_CODES),
    "sqs": Form("AccessDenied", 403, _queues, _QUEUE_CODES),
    "monitoring": Form("AccessDenied", 403, _queues, _METRIC_CODES),
    "logs": Form("AccessDeniedException", 400, _json, _PARAMETER_CODES),
    "tagging": Form("AccessDeniedException", 400, _json, _PARAMETER_CODES),
    "lambda": Form("AccessDeniedException", 403, _rest_json),
    "scheduler": Form("AccessDeniedException", 403, _rest_json),
    "sagemaker-runtime": Form("AccessDeniedException", 403, _rest_json),
}
