"""Reads a request of botocore as it goes onto the wire: its service, its operation, its members, its place in S3."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import parse_qs, parse_qsl, unquote, urlsplit

from botocore.awsrequest import AWSPreparedRequest


@dataclass(frozen=True)
class WireRequest:
    """One request."""

    sent: AWSPreparedRequest

    @property
    def method(self) -> str:
        return str(self.sent.method)

    @property
    def host(self) -> str:
        return str(urlsplit(self.sent.url).netloc)

    @property
    def path(self) -> str:
        return unquote(urlsplit(self.sent.url).path)

    @cached_property
    def query(self) -> Mapping[str, str]:
        return dict(parse_qsl(urlsplit(self.sent.url).query, keep_blank_values=True))

    @cached_property
    def service(self) -> str:
        """The service's name in the signature's scope; without a signature, by the host."""
        scope = self.headers.get("Authorization", "").partition("Credential=")[2].partition(",")[0].split("/")
        if len(scope) > 3:
            return scope[3]
        return "s3" if ".s3." in self.host or self.host.startswith("s3.") else self.host.partition(".")[0]

    @cached_property
    def operation(self) -> str:
        """The operation of a JSON or query service; empty for services with paths."""
        target = self.headers.get("X-Amz-Target", "")
        return target.rpartition(".")[2] or self.form.get("Action", "")

    @cached_property
    def form(self) -> Mapping[str, str]:
        """The members of a call of a query service, as IAM and STS are."""
        if not self.headers.get("Content-Type", "").startswith("application/x-www-form-urlencoded"):
            return {}
        return {name: values[0] for name, values in parse_qs(self.body.decode()).items()}

    @cached_property
    def members(self) -> dict[str, Any]:
        """The members of a JSON service's call."""
        read: dict[str, Any] = json.loads(self.body or b"{}")
        return read

    @cached_property
    def body(self) -> bytes:
        body = self.sent.body
        if hasattr(body, "read"):
            raw = bytes(body.read())
            self.sent.reset_stream()
        else:
            raw = body.encode() if isinstance(body, str) else bytes(body or b"")
        return unchunked(raw) if "aws-chunked" in self.headers.get("Content-Encoding", "") else raw

    @cached_property
    def place(self) -> tuple[str, str]:
        """Bucket and key of a request to S3, in either form of address."""
        named, is_in_host, _ = self.host.partition(".s3")
        path = self.path.lstrip("/")
        if is_in_host:
            return named, path
        bucket, _, key = path.partition("/")
        return bucket, key

    @cached_property
    def headers(self) -> Mapping[str, str]:
        return {
            name: value.decode() if isinstance(value, bytes) else str(value)
            for name, value in self.sent.headers.items()
        }


def unchunked(raw: bytes) -> bytes:
    """The content of a body that is sent as chunks with a checksum behind them."""
    content, rest = b"", raw
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        length = int(size.split(b";")[0], 16)
        if not length:
            break
        content, rest = content + rest[:length], rest[length + 2 :]
    return content
