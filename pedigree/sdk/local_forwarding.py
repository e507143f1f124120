"""Sends a script's requests to the local AWS, whatever address they were made for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import botocore.session
from botocore.awsrequest import AWSPreparedRequest, AWSResponse

from pedigree.sdk.wire_request import WireRequest

Send = Callable[[AWSPreparedRequest], AWSResponse]


class LocalForwarding:
    """The local AWS as the account of a script; buckets that a script uses are made for it."""

    def __init__(self, url: str, send: Send) -> None:
        self._url = url
        self._send = send

    def answer(self, request: WireRequest) -> AWSResponse:
        bucket, key = request.place if request.service == "s3" else ("", "")
        request.sent.url = self._nearby(request, bucket, key)
        response = self._send(request.sent)
        is_absent = response.status_code == 404 and bucket and (not key or request.method in ("PUT", "POST"))
        if not is_absent:
            return response
        response.content  # noqa: B018  # it must be read before the connection is used again
        self._make(bucket)
        request.sent.reset_stream()
        return self._send(request.sent)

    def read_object(self, bucket: str, key: str) -> bytes:
        content: bytes = self._client().get_object(Bucket=bucket, Key=key)["Body"].read()
        return content

    def _nearby(self, request: WireRequest, bucket: str, key: str) -> str:
        scheme, host, _, _, _ = urlsplit(self._url)
        _, _, path, query, fragment = urlsplit(request.sent.url)
        is_ours = request.host == host
        named = f"/{bucket}/{quote(key)}".rstrip("/") if bucket and not is_ours else path
        return str(urlunsplit((scheme, host, named, query, fragment)))

    def _make(self, bucket: str) -> None:
        self._client().create_bucket(Bucket=bucket)

    def _client(self) -> Any:
        return botocore.session.get_session().create_client("s3", endpoint_url=self._url)
