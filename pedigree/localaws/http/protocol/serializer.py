"""Writes a service's answer in its protocol: only members of the model, times as seconds."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from werkzeug import Response

from pedigree.localaws.http.protocol.models import MODELS, model

Shape: TypeAlias = Any


def answer(service: str, operation: str, members: Mapping[str, Any]) -> Response:
    """What an operation answers, as JSON, with the status that its model has."""
    described = model(MODELS[service]).operation_model(operation)
    body = shaped(described.output_shape, members)
    return json_response(body, described.http.get("responseCode", 200), content_type=content_type(service))


def content_type(service: str) -> str:
    """What a service calls its JSON."""
    version = model(MODELS[service]).metadata.get("jsonVersion")
    return f"application/x-amz-json-{version}" if version else "application/json"


def json_response(
    body: Mapping[str, Any] | bytes,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    request_id: str = "",
    content_type: str = "application/json",
) -> Response:
    """An answer that is a document, or the bytes of one; a status without content has none."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {"x-amzn-RequestId": request_id or str(uuid.uuid4()), **(headers or {})}
    return Response(b"" if status == 204 else content, status, named, content_type=content_type)


def seconds(value: Any) -> Any:
    """A time, which documents keep as text, as seconds."""
    if isinstance(value, str):
        value = dt.datetime.fromisoformat(value)
    return round(value.timestamp(), 3) if isinstance(value, dt.datetime) else value


def shaped(shape: Shape | None, value: Any, time: Callable[[Any], Any] = seconds) -> Any:
    """A value as an answer has it: members that the shape does not know, and those that are None, are left out."""
    if shape is None:
        return {}
    if shape.type_name == "structure":
        return {
            name: shaped(member, value[name], time)
            for name, member in shape.members.items()
            if value.get(name) is not None
        }
    if shape.type_name == "list":
        return [shaped(shape.member, entry, time) for entry in value]
    if shape.type_name == "map":
        return {key: shaped(shape.value, entry, time) for key, entry in value.items()}
    return time(value) if shape.type_name == "timestamp" else value
