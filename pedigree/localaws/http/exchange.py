"""A request in the chain, and what its handlers have read from it, each thing once.

The environ is WSGI's, and only moto gets one again (moto/environ.py). Everything else reads the members here.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from typing import IO, Any, TypeAlias
from urllib.parse import parse_qs, unquote

from pedigree.localaws.http.caller import Caller
from pedigree.localaws.http.chunked_encoding import ChunkVerifier
from pedigree.localaws.http.form_upload import FormUpload
from pedigree.localaws.http.payload import Payload, PlainReader
from pedigree.localaws.http.protocol.call import Call
from pedigree.localaws.http.protocol.urls import utf8
from pedigree.localaws.http.sigv4.parts import RequestParts
from pedigree.localaws.http.sigv4.post_signature import PostSignature
from pedigree.localaws.http.sigv4.signature import Signature
from pedigree.localaws.http.sigv4.sigv2 import QuerySignature

Environ: TypeAlias = dict[str, Any]
HEADERS = "pedigree.headers"
"""Where an environ has the headers by the names that they came with, in small letters."""


@dataclass(frozen=True)
class Scope:
    """What the signature's credential scope says: the access key, the region and the service."""

    key: str
    region: str
    service: str


@dataclass
class Exchange:
    """A request, and what the handlers have read from it so far.

    `service` is the scope's, but for SageMaker's data plane, which is `sagemaker-runtime` here. `call` stays None where
    the service's protocol names no operation, as S3's. `length` is None where the body comes in chunks; the payload is
    there once it was received. What `closing` holds is closed when the request is answered. An authentication that has
    a signature for each chunk of the body leaves a `chunk_verifier`, which is used while the body comes.
    A `form` is a browser's upload to S3; once its fields were read, the request is the PutObject that it stands for.
    `position` is the handler that goes on when more of a body has come.
    `raw_path` and `raw_query` are as they were sent, still with percent-encodings; `path` is decoded, once and here.
    What presigning adds to a query is in `signature` only; `signed_parts` have the query as it was signed.
    """

    environ: Environ
    method: str
    raw_path: str
    raw_query: str
    headers: Mapping[str, str]
    stream: IO[bytes]
    length: int | None = 0
    service: str = ""
    signed_parts: RequestParts | None = field(default=None, repr=False)
    signature: Signature | QuerySignature | PostSignature | None = field(default=None, repr=False)
    scope: Scope | None = None
    caller: Caller | None = None
    is_authorized: bool = False
    is_validated: bool = False
    begun: float = field(default_factory=time.perf_counter)
    position: int = 0
    call: Call | None = None
    form: FormUpload | None = None
    chunk_verifier: ChunkVerifier | None = None
    reader: PlainReader | None = None
    payload: Payload | None = None
    closing: ExitStack = field(default_factory=ExitStack, repr=False)
    _body: bytes | None = field(default=None, repr=False)

    @classmethod
    def of(cls, environ: Environ) -> Exchange:
        """The request that a WSGI server hands over; names of headers are in small letters."""
        headers = environ.get(HEADERS)
        if headers is None:
            headers = _wsgi_headers(environ)
        raw_path, _, raw_query = utf8(environ["REQUEST_URI"]).partition("?")
        length = None if headers.get("transfer-encoding") else int(environ.get("CONTENT_LENGTH") or 0)
        return cls(environ, environ["REQUEST_METHOD"], raw_path, raw_query, headers, environ["wsgi.input"], length)

    @cached_property
    def path(self) -> str:
        """The path, decoded; for a path that has slashes within its labels, see rest_protocol."""
        return unquote(self.raw_path)

    @cached_property
    def query(self) -> Mapping[str, Sequence[str]]:
        """All values of each word in the query."""
        return parse_qs(self.raw_query, keep_blank_values=True)

    @cached_property
    def args(self) -> Mapping[str, str]:
        """The first value of each word in the query."""
        return {name: values[0] for name, values in self.query.items()}

    def number(self, name: str, default: int | None = None) -> int | None:
        """A number in the query."""
        try:
            return int(self.args[name])
        except (KeyError, ValueError):
            return default

    @property
    def operation(self) -> str:
        """The operation that is called, if the request names one."""
        return self.call.operation if self.call else ""

    @property
    def members(self) -> Mapping[str, Any]:
        """The members of the call."""
        return self.call.members if self.call else {}

    @property
    def region(self) -> str:
        """The region that the request is signed for."""
        return self.scope.region if self.scope else ""

    @property
    def body(self) -> bytes:
        """The whole body, once it was received."""
        if self._body is None:
            self._body = self.payload.content if self.payload else b""
        return self._body

    @body.setter
    def body(self, content: bytes) -> None:
        self._body = content


def _wsgi_headers(environ: Environ) -> dict[str, str]:
    """The headers as WSGI has them, which makes hyphens of underscores."""
    headers = {name[5:].replace("_", "-").lower(): environ[name] for name in environ if name.startswith("HTTP_")}
    for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if environ.get(name):
            headers[name.replace("_", "-").lower()] = environ[name]
    return headers
