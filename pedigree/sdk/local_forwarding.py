"""Sends a script's requests to the local AWS, whatever address they were made for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import botocore.session
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSPreparedRequest, AWSRequest, AWSResponse
from botocore.credentials import Credentials

from pedigree.sdk.wire_request import WireRequest

_REGION = "us-east-1"
# Of the signature and of a body in chunks; both are made anew.
_OF_THE_SENT_FORM = (
    *("authorization", "x-amz-date", "x-amz-content-sha256", "content-encoding", "content-length"),
    *("transfer-encoding", "x-amz-trailer", "x-amz-decoded-content-length", "x-amz-sdk-checksum-algorithm"),
)
Send = Callable[[AWSPreparedRequest], AWSResponse]


class LocalForwarding:
    """The local AWS as the account of a script; buckets that a script uses are made for it."""

    def __init__(self, url: str, send: Send, credentials: Credentials) -> None:
        self._url = url
        self._credentials = credentials
        self._send = send

    def answer(self, request: WireRequest) -> AWSResponse:
        bucket, key = request.place if request.service == "s3" else ("", "")
        if request.host != urlsplit(self._url).netloc:
            self._turn(request, bucket, key)
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

    def _turn(self, request: WireRequest, bucket: str, key: str) -> None:
        """Turns a request for AWS's own address to the local AWS; the signature is made anew, since it has the host."""
        scheme, host, _, _, _ = urlsplit(self._url)
        _, _, path, query, _ = urlsplit(request.sent.url)
        named = f"/{bucket}/{quote(key)}".rstrip("/") if bucket else path
        request.sent.url = urlunsplit((scheme, host, named, query, ""))
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _OF_THE_SENT_FORM}
        unsigned = AWSRequest(request.sent.method, request.sent.url, headers, request.body)
        sign = S3SigV4Auth if request.service == "s3" else SigV4Auth
        sign(self._credentials, request.service, _REGION).add_auth(unsigned)
        signed = unsigned.prepare()
        request.sent.headers, request.sent.body = signed.headers, signed.body

    def _make(self, bucket: str) -> None:
        self._client().create_bucket(Bucket=bucket)

    def _client(self) -> Any:
        return botocore.session.get_session().create_client("s3", endpoint_url=self._url)
