"""AWS's protocol with CBOR, which newer clients of CloudWatch speak: JSON's requests and answers in other bytes."""

from __future__ import annotations

import base64
import datetime as dt
import json
import re
from collections.abc import Mapping
from typing import Any

from werkzeug import Response

from pedigree.localaws.http.protocol import cbor
from pedigree.localaws.http.protocol.errors import UnreadableRequestError
from pedigree.localaws.http.protocol.models import MODELS, model

PROTOCOL = "rpc-v2-cbor"
_HEADER = "smithy-protocol"
_PATH = re.compile(r"/service/(\w+)/operation/(\w+)/?")
_FIRST_ERROR = 400


def is_cbor(service: str, headers: Mapping[str, str]) -> bool:
    """Whether a request speaks CBOR to a service that can."""
    return headers.get(_HEADER) == PROTOCOL and service in MODELS and _speaks(service)


def _speaks(service: str) -> bool:
    return f"smithy-{PROTOCOL}" in model(MODELS[service]).metadata.get("protocols", ())


def target(service: str, path: str) -> str | None:
    """Return what the header X-Amz-Target of the same request in JSON has; None if the path names no operation."""
    match = _PATH.fullmatch(path)
    prefix = model(MODELS[service]).metadata["targetPrefix"]
    return f"{prefix}.{match[2]}" if match and match[1] == prefix else None


def members(content: bytes) -> dict[str, Any]:
    """Return the members in a request's body."""
    try:
        read = cbor.decode(content) if content else {}
        json.dumps(read, allow_nan=False)
    except ValueError as error:
        raise UnreadableRequestError(f"The request is no CBOR: {error}") from None
    if not isinstance(read, dict):
        raise UnreadableRequestError("Start of structure or map found where not expected")
    return read


def translated(service: str, operation: str, answer: Response) -> Response:
    """Return an answer in JSON as one in CBOR."""
    said = json.loads(answer.get_data() or b"{}")
    if answer.status_code < _FIRST_ERROR:
        said = _shaped(model(MODELS[service]).operation_model(operation).output_shape, said)
    answer.set_data(cbor.encode(said))
    answer.headers["Content-Type"] = "application/cbor"
    answer.headers[_HEADER] = PROTOCOL
    return answer


def _shaped(shape: Any, value: Any) -> Any:
    """Return a value of JSON with the types that CBOR tells apart."""
    kind = shape.type_name if shape is not None else ""
    if kind == "structure":
        return {name: _shaped(member, value[name]) for name, member in shape.members.items() if name in value}
    if kind == "list":
        return [_shaped(shape.member, item) for item in value]
    if kind == "map":
        return {key: _shaped(shape.value, item) for key, item in value.items()}
    if kind == "timestamp":
        return cbor.Timestamp(_seconds(value))
    if kind in ("double", "float"):
        return float(value)
    return base64.b64decode(value) if kind == "blob" else value


def _seconds(value: Any) -> float:
    if isinstance(value, str):
        return dt.datetime.fromisoformat(value.replace("Z", "+00:00")).timestamp()
    return float(value)
