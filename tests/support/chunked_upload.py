"""Uploads to S3 in signed chunks, which boto3 does not make: as AWS's documentation describes them."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from pedigree.localaws.http.sigv4.payload import CHUNKED_TRAILER, EMPTY_HASH
from pedigree.localaws.kernel.access_key import AccessKey
from tests.support.local_aws import REGION

_CHECKSUM = "x-amz-checksum-sha256"


class DeclaringAuth(S3SigV4Auth):  # type: ignore[misc]  # botocore's
    """A signer that declares something else in the place of the body's hash, and signs chunks after that."""

    def __init__(self, key: AccessKey, declared: str) -> None:
        super().__init__(Credentials(key.id, key.secret), "s3", REGION)
        self._declared = declared
        self._last = ""

    def payload(self, _request: AWSRequest) -> str:
        """What stands for the body."""
        return self._declared

    def start(self, request: AWSRequest) -> None:
        """Sign the request."""
        self.add_auth(request)
        self._last = request.headers["Authorization"].rpartition("=")[2]

    def sign_next(self, request: AWSRequest, kind: str, *hashes: str) -> str:
        """The signature of a chunk or of a trailer."""
        head = (f"AWS4-HMAC-SHA256-{kind}", request.context["timestamp"], self.credential_scope(request))
        self._last = self.signature("\n".join((*head, self._last, *hashes)), request)
        return self._last


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def chunked_request(url: str, key: AccessKey, declared: str, chunks: Sequence[bytes]) -> tuple[dict[str, Any], bytes]:
    """The headers and the body of a PUT."""
    length = str(sum(map(len, chunks)))
    trailer = {"X-Amz-Trailer": _CHECKSUM} if declared == CHUNKED_TRAILER else {}
    headers = {"X-Amz-Decoded-Content-Length": length, "Content-Encoding": "aws-chunked", **trailer}
    request, signer = AWSRequest("PUT", url, headers), DeclaringAuth(key, declared)
    signer.start(request)
    body = b"".join(_framed(request, signer, [*chunks, b""]))
    if trailer:
        line = f"{_CHECKSUM}:{base64.b64encode(hashlib.sha256(b''.join(chunks)).digest()).decode()}"
        value = signer.sign_next(request, "TRAILER", sha256(f"{line}\n".encode()))
        body += f"{line}\r\nx-amz-trailer-signature:{value}\r\n".encode()
    return dict(request.headers.items()), body + b"\r\n"


def _framed(request: AWSRequest, signer: DeclaringAuth, chunks: Iterable[bytes]) -> Iterable[bytes]:
    for chunk in chunks:
        value = signer.sign_next(request, "PAYLOAD", EMPTY_HASH, sha256(chunk))
        yield f"{len(chunk):x};chunk-signature={value}\r\n".encode() + chunk + (b"\r\n" if chunk else b"")
