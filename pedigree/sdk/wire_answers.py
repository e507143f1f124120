"""Writes answers as AWS's services write them, for botocore to read."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from typing import Any

from botocore.awsrequest import AWSPreparedRequest, AWSResponse

JSON, XML = "application/x-amz-json-1.1", "text/xml"


class _Stream(io.BytesIO):
    """A body as urllib3 gives it out."""

    def stream(self, **_options: Any) -> Iterator[bytes]:
        yield self.read()


def answer(
    request: AWSPreparedRequest, body: bytes = b"", status: int = 200, headers: Mapping[str, str] | None = None
) -> AWSResponse:
    """An answer with a body."""
    written = {"Content-Length": str(len(body)), **(headers or {})}
    return AWSResponse(request.url, status, written, _Stream(body))


def json_answer(request: AWSPreparedRequest, document: Mapping[str, Any], status: int = 200) -> AWSResponse:
    """An answer of a JSON service."""
    return answer(request, json.dumps(document).encode(), status, {"Content-Type": JSON})


def xml_answer(request: AWSPreparedRequest, document: str, status: int = 200) -> AWSResponse:
    """An answer in XML, as S3 and the query services give it."""
    return answer(request, document.encode(), status, {"Content-Type": XML})


def query_answer(request: AWSPreparedRequest, operation: str, result: str) -> AWSResponse:
    """The answer of a query service to one operation; result is XML."""
    return xml_answer(
        request,
        f"<{operation}Response><{operation}Result>{result}</{operation}Result>"
        f"<ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></{operation}Response>",
    )
