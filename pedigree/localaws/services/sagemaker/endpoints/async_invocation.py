"""An asynchronous invocation as a document: what is asked of which endpoint, and where its answer is to be."""

from __future__ import annotations

import base64
import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from pedigree.localaws.http.protocol.errors import InvalidRequestError, ServiceError
from pedigree.localaws.http.protocol.models import input_shape
from pedigree.localaws.http.protocol.validator import checked

_OPERATION = "InvokeEndpointAsync"
_NUMBERS = ("RequestTTLSeconds", "InvocationTimeoutSeconds")
_HEADERS = {
    "ContentType": "Content-Type",
    "Accept": "Accept",
    "CustomAttributes": "X-Amzn-SageMaker-Custom-Attributes",
}
_LONGEST_WAIT_SECONDS = 21_600
_LONGEST_ANSWER_SECONDS = 900
_LARGEST_BODY = 128_000


@dataclass(frozen=True)
class AsyncInvocation:
    """An invocation: its input is an object, or the body that came with the request."""

    endpoint: str
    inference_id: str
    input: str
    body: str
    headers: Mapping[str, str]
    output: str
    failure: str
    expires: float
    answer_seconds: float

    def document(self) -> dict[str, Any]:
        """The invocation in the store's form."""
        return asdict(self)

    @property
    def content(self) -> bytes:
        """The body that came with the request."""
        return base64.b64decode(self.body)


def async_invocation(
    members: Mapping[str, Any], body: bytes, config: Mapping[str, Any], moment: dt.datetime
) -> AsyncInvocation:
    """Read a request for an endpoint of a configuration; ServiceError if it is not as SageMaker wants it."""
    request = _checked(members)
    if ("InputLocation" in request) == bool(body):
        raise ServiceError("ValidationError", "Specify either InputLocation or Body.")
    if len(body) > _LARGEST_BODY:
        raise ServiceError("ValidationError", f"HTTP content length exceeded {_LARGEST_BODY} bytes.", 413)
    output, name = config["OutputConfig"], request.get("Filename", f"{uuid.uuid4()}.out")
    extension = request.get("S3OutputPathExtension", "").strip("/")
    folder = "/".join(part for part in (output["S3OutputPath"].rstrip("/"), extension) if part)
    failures = output.get("S3FailurePath", "").rstrip("/")
    return AsyncInvocation(
        request["EndpointName"],
        request.get("InferenceId", str(uuid.uuid4())),
        request.get("InputLocation", ""),
        base64.b64encode(body).decode(),
        {header: request[member] for member, header in _HEADERS.items() if member in request},
        f"{folder}/{name}",
        f"{failures}/{name.removesuffix('.out')}-error.out" if failures else "",
        moment.timestamp() + request.get("RequestTTLSeconds", _LONGEST_WAIT_SECONDS),
        request.get("InvocationTimeoutSeconds", _LONGEST_ANSWER_SECONDS),
    )


def _checked(members: Mapping[str, Any]) -> dict[str, Any]:
    numbers = {name: _number(members[name]) for name in _NUMBERS if name in members}
    shape = input_shape("sagemaker-runtime", _OPERATION)
    try:
        return checked(shape, {**{name: value for name, value in members.items() if name != "Body"}, **numbers})
    except InvalidRequestError as error:
        raise ServiceError("ValidationError", error.message) from None


def _number(text: Any) -> Any:
    return int(text) if str(text).isdecimal() else text
