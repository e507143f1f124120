"""What a client sends as an object's content: plain, or in chunks of AWS's encoding, perhaps with checksums."""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

from pedigree.localaws.http.protocol.s3_errors import ObjectsError

_CHUNK = 1 << 16
_LONGEST_LINE = 4096
_PREFIX = "x-amz-checksum-"


class Readable(Protocol):
    """Bytes that can be read."""

    def read(self, size: int = -1, /) -> bytes:
        """So many bytes at most."""
        ...

    def readline(self, size: int = -1, /) -> bytes:
        """A line."""
        ...


class Checksum:
    """A checksum that a client names and that is counted along."""

    def __init__(self, algorithm: str) -> None:
        self._crc = 0
        self._hash = hashlib.new(algorithm) if algorithm != "crc32" else None

    def update(self, chunk: bytes) -> None:
        """Count a piece."""
        if self._hash is None:
            self._crc = zlib.crc32(chunk, self._crc)
        else:
            self._hash.update(chunk)

    def text(self) -> str:
        """The checksum as headers have it."""
        value = self._crc.to_bytes(4, "big") if self._hash is None else self._hash.digest()
        return base64.b64encode(value).decode()


def content(stream: Readable, headers: Mapping[str, str]) -> Iterator[bytes]:
    """The content in pieces, held against the checksum that comes with it."""
    encoding, signed = headers.get("content-encoding", ""), headers.get("x-amz-content-sha256", "")
    chunked = "aws-chunked" in encoding or signed.startswith("STREAMING")
    trailer: dict[str, str] = {}
    pieces = _chunks(stream, trailer) if chunked else iter(lambda: stream.read(_CHUNK), b"")
    counters = {name: Checksum(name) for name in ("crc32", "sha1", "sha256")}
    yield from _counted(pieces, counters.values())
    for name, counter in counters.items():
        wanted = trailer.get(_PREFIX + name) or headers.get(_PREFIX + name)
        if wanted is not None and wanted != counter.text():
            raise ObjectsError("BadDigest", f"The {name} you specified did not match the calculated checksum.", 400)


def checksums(headers: Mapping[str, str]) -> dict[str, str]:
    """The checksums that a client gave in its headers, to be given back when it asks."""
    return {name: value for name, value in headers.items() if name.startswith(_PREFIX) and name != f"{_PREFIX}mode"}


def _counted(pieces: Iterable[bytes], counters: Iterable[Checksum]) -> Iterator[bytes]:
    for piece in pieces:
        for counter in counters:
            counter.update(piece)
        yield piece


def _chunks(stream: Readable, trailer: dict[str, str]) -> Iterator[bytes]:
    """The pieces of AWS's encoding: each after its size in hexadecimal, then lines that say more."""
    while True:
        size = _size(stream.readline(_LONGEST_LINE))
        if not size:
            break
        while size:
            piece = stream.read(min(size, _CHUNK))
            if not piece:
                raise _incomplete()
            size -= len(piece)
            yield piece
        stream.readline(_LONGEST_LINE)
    for line in iter(lambda: stream.readline(_LONGEST_LINE).strip(), b""):
        name, _, value = line.decode("latin-1").partition(":")
        trailer[name.strip().lower()] = value.strip()


def _size(line: bytes) -> int:
    try:
        return int(line.partition(b";")[0].strip(), 16)
    except ValueError:
        raise _incomplete() from None


def _incomplete() -> ObjectsError:
    return ObjectsError("IncompleteBody", "The request body terminated unexpectedly", 400)
