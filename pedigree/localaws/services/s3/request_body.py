"""Reads an object's content from a request: plain or in AWS's chunked encoding, with or without checksums."""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

from pedigree.localaws.http.protocol.s3_errors import S3Error

_CHUNK_BYTES = 1 << 16
_MAX_LINE_BYTES = 4096
_PREFIX = "x-amz-checksum-"


class Readable(Protocol):
    """A stream of bytes."""

    def read(self, size: int = -1, /) -> bytes: ...

    def readline(self, size: int = -1, /) -> bytes: ...


class Checksum:
    """Computes a checksum while the content is read."""

    def __init__(self, algorithm: str) -> None:
        self._crc = 0
        self._hash = hashlib.new(algorithm) if algorithm != "crc32" else None

    def update(self, chunk: bytes) -> None:
        if self._hash is None:
            self._crc = zlib.crc32(chunk, self._crc)
        else:
            self._hash.update(chunk)

    def text(self) -> str:
        """Return the checksum as headers have it."""
        value = self._crc.to_bytes(4, "big") if self._hash is None else self._hash.digest()
        return base64.b64encode(value).decode()


def read_content(stream: Readable, headers: Mapping[str, str]) -> Iterator[bytes]:
    """Yield the content in pieces, and compare it with the checksum in the request."""
    encoding, signature = headers.get("content-encoding", ""), headers.get("x-amz-content-sha256", "")
    is_chunked = "aws-chunked" in encoding or signature.startswith("STREAMING")
    trailer: dict[str, str] = {}
    pieces = _decode_chunks(stream, trailer) if is_chunked else iter(lambda: stream.read(_CHUNK_BYTES), b"")
    computed = {name: Checksum(name) for name in ("crc32", "sha1", "sha256")}
    yield from _update_checksums(pieces, computed.values())
    for name, checksum in computed.items():
        expected = trailer.get(_PREFIX + name) or headers.get(_PREFIX + name)
        if expected is not None and expected != checksum.text():
            raise S3Error("BadDigest", f"The {name} you specified did not match the calculated checksum.", 400)


def checksums(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the checksums in a request's headers, which later responses repeat."""
    return {name: value for name, value in headers.items() if name.startswith(_PREFIX) and name != f"{_PREFIX}mode"}


def _update_checksums(pieces: Iterable[bytes], computed: Iterable[Checksum]) -> Iterator[bytes]:
    for piece in pieces:
        for checksum in computed:
            checksum.update(piece)
        yield piece


def _decode_chunks(stream: Readable, trailer: dict[str, str]) -> Iterator[bytes]:
    """Yield the chunks, each of which follows its hexadecimal size; lines of the trailer come after the last."""
    while True:
        size = _chunk_size(stream.readline(_MAX_LINE_BYTES))
        if not size:
            break
        while size:
            piece = stream.read(min(size, _CHUNK_BYTES))
            if not piece:
                raise _incomplete()
            size -= len(piece)
            yield piece
        stream.readline(_MAX_LINE_BYTES)
    for line in iter(lambda: stream.readline(_MAX_LINE_BYTES).strip(), b""):
        name, _, value = line.decode("latin-1").partition(":")
        trailer[name.strip().lower()] = value.strip()


def _chunk_size(line: bytes) -> int:
    try:
        return int(line.partition(b";")[0].strip(), 16)
    except ValueError:
        raise _incomplete() from None


def _incomplete() -> S3Error:
    return S3Error("IncompleteBody", "The request body terminated unexpectedly", 400)
