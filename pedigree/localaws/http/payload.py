"""Takes the body of a request piece by piece: counts it, decodes it, hashes it, and spools what it contains.

A body of S3 may be in AWS's chunked encoding and come with checksums; nothing of it is believed before finish().
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from pedigree.localaws.http import checksums
from pedigree.localaws.http.checksums import Check
from pedigree.localaws.http.chunked_encoding import ChunkedDecoder, ChunkedEncodingError, ChunkVerifier
from pedigree.localaws.http.protocol.errors import RequestTooLargeError, ServiceError
from pedigree.localaws.http.protocol.s3_errors import S3Error
from pedigree.localaws.http.spool import Spool

_DECODED_LENGTH = "x-amz-decoded-content-length"


class IncompleteBodyError(ServiceError):
    """A body that ends too early, or does not come."""

    def __init__(self, why: str, code: str = "IncompleteBody", status: int = 400) -> None:
        super().__init__(code, f"The request body {why}", status)


@dataclass(frozen=True)
class Payload:
    """A body that has come whole and is what its checksums say: its hashes, and the checksums that came along."""

    spool: Spool
    sha256: str = ""
    md5: str = ""
    checksums: Mapping[str, str] = field(default_factory=dict)

    @property
    def size(self) -> int:
        return self.spool.size

    @cached_property
    def content(self) -> bytes:
        """The whole content."""
        return self.spool.read()


class PlainReader:
    """Takes a body that is spooled as it comes, and hashed for its signature."""

    def __init__(self, spool: Spool, length: int | None, most: int) -> None:
        self._spool = spool
        self._length = length
        self._most = most
        self._sha256 = hashlib.sha256()
        self.received = 0

    def write(self, piece: bytes) -> None:
        self._count(piece)
        self._add(piece)

    def finish(self) -> Payload:
        """Return the body; ServiceError if it is not whole."""
        self._check_length()
        return Payload(self._spool, self._sha256.hexdigest())

    def _add(self, content: bytes) -> None:
        self._sha256.update(content)
        self._spool.write(content)

    def _count(self, piece: bytes) -> None:
        self.received += len(piece)
        if self.received > self._most:
            raise RequestTooLargeError(self._most)

    def _check_length(self) -> None:
        if self._length is not None and self.received != self._length:
            raise IncompleteBodyError(f"has {self.received} bytes of {self._length}")


class ContentReader(PlainReader):
    """Takes a body of S3: decodes it, and compares it with its checksums."""

    def __init__(
        self,
        spool: Spool,
        length: int | None,
        most: int,
        headers: Mapping[str, str],
        verifier: ChunkVerifier | None = None,
        *,
        is_object: bool = False,
    ) -> None:
        super().__init__(spool, length, most)
        self._headers = headers
        self._decoder = ChunkedDecoder(verifier) if is_aws_chunked(headers) else None
        self._content_length = _decoded_length(headers) if self._decoder else None
        self._md5 = checksums.md5()
        self._checks: Sequence[Check] = tuple(checksums.header_checks(headers))
        self._checksum = checksums.content_check(headers) or (checksums.default_check() if is_object else None)

    def write(self, piece: bytes) -> None:
        self._count(piece)
        try:
            for content in self._decoder.decode(piece) if self._decoder else (piece,):
                self._add(content)
        except ChunkedEncodingError as error:
            raise IncompleteBodyError(f"is not in the encoding aws-chunked: {error}") from None
        if self._decoder and self._decoder.unused:
            raise IncompleteBodyError("goes on after its last chunk")

    def _add(self, content: bytes) -> None:
        super()._add(content)
        self._md5.update(content)
        for check in (*self._checks, self._checksum[1]) if self._checksum else self._checks:
            check.update(content)

    def finish(self) -> Payload:
        """Return the content; ServiceError if it is not whole, or not what a checksum says."""
        self._check_length()
        if self._decoder and not self._decoder.is_complete:
            raise IncompleteBodyError("terminated unexpectedly")
        if self._content_length not in (None, self._spool.size):
            raise IncompleteBodyError(f"has {self._spool.size} bytes of {self._content_length}")
        for check in self._checks:
            check.verify()
        return Payload(self._spool, self._sha256.hexdigest(), self._md5.digest().hex(), self._verified_checksum())

    def _verified_checksum(self) -> Mapping[str, str]:
        if self._checksum is None:
            return {}
        algorithm, check = self._checksum
        name = f"{checksums.PREFIX}{algorithm}"
        if "x-amz-trailer" in self._headers:
            trailer = self._decoder.trailers.get(name) if self._decoder else None
            if trailer is None:
                raise S3Error("MalformedTrailerError", f"The request contained no trailing {name}.", 400)
            check.expected = checksums.value(algorithm, trailer)
        check.verify()
        return {name: check.text}


def is_aws_chunked(headers: Mapping[str, str]) -> bool:
    """Whether a body is in the encoding of AWS that has a signature or a checksum in it."""
    is_streaming = headers.get("x-amz-content-sha256", "").startswith("STREAMING-")
    return is_streaming or "aws-chunked" in headers.get("content-encoding", "")


def _decoded_length(headers: Mapping[str, str]) -> int | None:
    length = headers.get(_DECODED_LENGTH)
    if length is None:
        return None
    if not length.isdecimal():
        raise S3Error("InvalidArgument", f"{_DECODED_LENGTH} is no number of bytes", 400)
    return int(length)
