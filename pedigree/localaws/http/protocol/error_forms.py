"""How each service writes an error: its form (JSON, query, EC2's or S3's XML), its status and its own codes."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from werkzeug import Response

from pedigree.localaws.http.protocol import xml
from pedigree.localaws.http.protocol.absent_services import CBOR, QUERY, REST_JSON, REST_XML
from pedigree.localaws.http.protocol.errors import AccessDeniedError, ServiceError
from pedigree.localaws.http.protocol.s3_request_ids import s3_host_id, s3_request_id

Write: TypeAlias = Callable[[ServiceError, str, str, int], Response]
"""Writes an error: what failed, at which path, with which code and status."""
_FIRST_SERVER_FAULT = 500


@dataclass(frozen=True)
class ErrorForm:
    """How a service writes an error; denied calls have their own code and status, and so may other errors."""

    denied_code: str
    denied_status: int
    write: Write
    codes: Mapping[str, str] = field(default_factory=dict)

    def response(self, error: ServiceError, path: str) -> Response:
        """An error as the service answers it."""
        code, status = self.codes.get(error.code, error.code), error.status
        if isinstance(error, AccessDeniedError):
            code, status = self.denied_code, self.denied_status
        elif error.code == _MISMATCH:
            status = _STATUSES.get(code, self.denied_status)
        answer = self.write(error, path, code, status)
        answer.headers["x-amzn-RequestId"] = str(uuid.uuid4())
        answer.headers.extend(error.headers)
        return answer


def error_response(service: str, error: ServiceError, path: str) -> Response:
    """An error as a service answers it, or as a protocol writes it where the service is not known."""
    return _FORMS.get(service, _JSON_FORM).response(error, path)


def _json(error: ServiceError, _path: str, code: str, status: int) -> Response:
    body = {"__type": code, "message": error.message, "Message": error.message, **error.details}
    headers = {"x-amzn-errortype": code}
    return Response(json.dumps(body), status, headers, content_type="application/x-amz-json-1.1")


def _rest_json(error: ServiceError, path: str, code: str, status: int) -> Response:
    answer = _json(error, path, code, status)
    answer.content_type = "application/json"
    return answer


def _lambda(error: ServiceError, _path: str, code: str, status: int) -> Response:
    """Lambda adds whether the client or the server is at fault."""
    fault = "User" if status < _FIRST_SERVER_FAULT else "Service"
    body = {"message": error.message, "Message": error.message, "Type": fault, **error.details}
    return Response(json.dumps(body), status, {"x-amzn-errortype": code}, content_type="application/json")


def _query(error: ServiceError, _path: str, code: str, status: int) -> Response:
    members = f"<Type>Sender</Type><Code>{xml.text(code)}</Code><Message>{xml.text(error.message)}</Message>"
    request = f"<RequestId>{uuid.uuid4()}</RequestId>"
    body = f"<ErrorResponse><Error>{members}</Error>{request}</ErrorResponse>"
    return Response(body, status, content_type="text/xml")


def _ec2(error: ServiceError, _path: str, code: str, status: int) -> Response:
    is_denied = isinstance(error, AccessDeniedError)
    message = f"You are not authorized to perform this operation. {error.message}" if is_denied else error.message
    members = f"<Code>{xml.text(code)}</Code><Message>{xml.text(message)}</Message>"
    request = f"<RequestID>{uuid.uuid4()}</RequestID>"
    body = f"<Response><Errors><Error>{members}</Error></Errors>{request}</Response>"
    return Response(body, status, content_type="text/xml")


def _cbor(error: ServiceError, _path: str, code: str, status: int) -> Response:
    members = {"__type": code, "message": error.message}
    words = [_cbor_text(text) for member in members.items() for text in member]
    headers = {"smithy-protocol": "rpc-v2-cbor"}
    return Response(bytes([0xA0 + len(members)]) + b"".join(words), status, headers, content_type="application/cbor")


def _cbor_text(text: str) -> bytes:
    content = text.encode("utf-8", "replace")
    return b"\x7a" + len(content).to_bytes(4, "big") + content


def _s3(error: ServiceError, _path: str, code: str, status: int) -> Response:
    request, host = s3_request_id(), s3_host_id()
    members = {"Code": code, "Message": error.message, **error.details, "RequestId": request, "HostId": host}
    headers = {"x-amz-request-id": request, "x-amz-id-2": host}
    return Response(xml.plain_document("Error", members), status, headers, content_type="application/xml")


def _sqs(error: ServiceError, path: str, code: str, status: int) -> Response:
    """SQS keeps, beside its JSON, the code that it had before it spoke JSON."""
    answer = _json(error, path, code, status)
    answer.headers["x-amzn-query-error"] = f"{code};Sender"
    return answer


def _cloudwatch(error: ServiceError, path: str, code: str, status: int) -> Response:
    """CloudWatch's JSON has the name of the error's shape, and a header the code that its query protocol has."""
    answer = _json(error, path, _CLOUDWATCH_SHAPES.get(code, code), status)
    answer.headers["x-amzn-query-error"] = f"{code};Sender"
    return answer


# Its status is that of a denied call, but for EC2's.
_MISMATCH = "SignatureDoesNotMatch"
_STATUSES = {"AuthFailure": 401}
_JSON_CODES = {
    "SignatureDoesNotMatch": "InvalidSignatureException",
    "IncompleteSignature": "IncompleteSignatureException",
}
_QUERY_CODES = {
    "UnrecognizedClientException": "InvalidClientTokenId",
    "ExpiredTokenException": "ExpiredToken",
    "ValidationException": "ValidationError",
    "SerializationException": "MalformedInput",
    "UnknownOperationException": "InvalidAction",
}
_S3_CODES = {
    "IncompleteSignature": "AuthorizationHeaderMalformed",
    "UnrecognizedClientException": "InvalidAccessKeyId",
    "ExpiredTokenException": "ExpiredToken",
    "ValidationException": "InvalidRequest",
    "SerializationException": "InvalidRequest",
    "RequestEntityTooLargeException": "EntityTooLarge",
    "InternalFailure": "InternalError",
}
_EC2_CODES = {
    _MISMATCH: "AuthFailure",
    "UnrecognizedClientException": "AuthFailure",
    "ExpiredTokenException": "RequestExpired",
    "ValidationException": "InvalidParameterValue",
    "SerializationException": "InvalidParameterValue",
    "UnknownOperationException": "InvalidAction",
}
_SQS_CODES = {"ValidationException": "InvalidParameterValue", "UnknownOperationException": "InvalidAction"}
_CLOUDWATCH_CODES = {"ValidationException": "ValidationError", "UnknownOperationException": "InvalidAction"}
_CLOUDWATCH_SHAPES = {
    "ValidationError": "ValidationException",
    "InvalidParameterValue": "InvalidParameterValueException",
    "InvalidParameterCombination": "InvalidParameterCombinationException",
    "MissingParameter": "MissingRequiredParameterException",
}
_LOGS_CODES = {**_JSON_CODES, "ValidationException": "InvalidParameterException"}
_LAMBDA_CODES = {**_JSON_CODES, "InternalFailure": "ServiceException"}
_JSON_FORM = ErrorForm("AccessDeniedException", 400, _json, _JSON_CODES)
_FORMS: Mapping[str, ErrorForm] = {
    "iam": ErrorForm("AccessDenied", 403, _query, _QUERY_CODES),
    "sts": ErrorForm("AccessDenied", 403, _query, _QUERY_CODES),
    "ec2": ErrorForm("UnauthorizedOperation", 403, _ec2, _EC2_CODES),
    "s3": ErrorForm("AccessDenied", 403, _s3, _S3_CODES),
    "sqs": ErrorForm("AccessDenied", 403, _sqs, _SQS_CODES),
    "monitoring": ErrorForm("AccessDenied", 403, _cloudwatch, _CLOUDWATCH_CODES),
    "logs": ErrorForm("AccessDeniedException", 400, _json, _LOGS_CODES),
    "tagging": ErrorForm("AccessDeniedException", 400, _json, _LOGS_CODES),
    "lambda": ErrorForm("AccessDeniedException", 403, _lambda, _LAMBDA_CODES),
    "scheduler": ErrorForm("AccessDeniedException", 403, _rest_json, _JSON_CODES),
    "sagemaker-runtime": ErrorForm("AccessDeniedException", 403, _rest_json, _JSON_CODES),
    CBOR: ErrorForm("AccessDeniedException", 400, _cbor, _JSON_CODES),
    QUERY: ErrorForm("AccessDenied", 403, _query, _QUERY_CODES),
    REST_JSON: ErrorForm("AccessDeniedException", 403, _rest_json, _JSON_CODES),
    REST_XML: ErrorForm("AccessDenied", 403, _query, _QUERY_CODES),
}
