"""Writes answers of the query protocol: XML, from plain values and by botocore's model."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from werkzeug import Response

from pedigree.localaws.http.protocol import xml
from pedigree.localaws.http.protocol.models import MODELS, model


def query_answer(service: str, operation: str, members: Mapping[str, Any]) -> Response:
    """What an operation answers; members that are None are left out."""
    described = model(MODELS[service])
    shape = described.operation_model(operation).output_shape
    result = "".join(_written(shape, members)) if shape is not None else ""
    metadata = f"<ResponseMetadata><RequestId>{uuid.uuid4()}</RequestId></ResponseMetadata>"
    namespace = described.metadata["xmlNamespace"]
    body = f"<{operation}Result>{result}</{operation}Result>{metadata}"
    return Response(f'<{operation}Response xmlns="{namespace}">{body}</{operation}Response>', content_type="text/xml")


def _written(shape: Any, value: Any) -> Iterator[str]:
    """The content of an element."""
    if shape.type_name == "structure":
        for name, member in shape.members.items():
            if value.get(name) is not None:
                yield _element(member.serialization.get("name", name), member, value[name])
    elif shape.type_name == "list":
        name = shape.member.serialization.get("name", "member")
        yield from (_element(name, shape.member, item) for item in value)
    elif shape.type_name == "map":
        for key, item in value.items():
            yield f"<entry>{_element('key', shape.key, key)}{_element('value', shape.value, item)}</entry>"
    else:
        yield xml.text(_text(value))


def _element(name: str, shape: Any, value: Any) -> str:
    return f"<{name}>{''.join(_written(shape, value))}</{name}>"


def _text(value: Any) -> str:
    if isinstance(value, dt.datetime):
        return f"{value.astimezone(dt.timezone.utc):%Y-%m-%dT%H:%M:%SZ}"
    return str(value).lower() if isinstance(value, bool) else str(value)
