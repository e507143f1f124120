"""Decodes bodies that come in chunks: HTTP's Transfer-Encoding and AWS's Content-Encoding aws-chunked.

Both write a chunk as its size in hexadecimal, a line's end, the data and a line's end; a chunk of size 0 is the last,
and headers may follow. The encoding of AWS can carry a signature with each chunk.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from typing import Protocol

_MAX_LINE_BYTES = 4096
_MAX_TRAILERS = 32
_SIZE = re.compile(rb"([0-9a-fA-F]{1,15})[ \t]*(?:;(.*))?")
_SIGNATURE = re.compile(rb"chunk-signature=([0-9a-f]+)")


class ChunkedEncodingError(ValueError):
    """A body that is no chunked encoding."""


class ChunkVerifier(Protocol):
    """Compares the signatures of a body's chunks, in their order; raises an error for one that is wrong."""

    def verify_chunk(self, signature: str, sha256: str) -> None:
        """Compare a chunk's signature; the hash is of its data. The last chunk has no data."""
        ...

    def verify_trailer(self, signature: str, trailer: bytes) -> None:
        """Compare the signature of the trailing headers, each as name:value and a newline."""
        ...


class ChunkedDecoder:
    """Decodes an encoding piece by piece; what follows its end is left in `unused`."""

    def __init__(self, verifier: ChunkVerifier | None = None) -> None:
        self.trailers: dict[str, str] = {}
        self.is_complete = False
        self.unused = b""
        self._verifier = verifier
        self._signature = ""
        self._hash = hashlib.sha256()
        self._line = bytearray()
        self._missing = 0
        self._read_line: Callable[[bytes], None] = self._read_size

    def decode(self, encoded: bytes) -> Iterator[bytes]:
        """Yield the data in a piece of the encoding; ChunkedEncodingError if it is malformed."""
        position = 0
        while position < len(encoded) and not self.is_complete:
            if self._missing:
                data = encoded[position : position + self._missing]
                position += len(data)
                self._missing -= len(data)
                if self._verifier is not None:
                    self._hash.update(data)
                yield data
            else:
                position = self._add_to_line(encoded, position)
        self.unused = encoded[position:]

    def _add_to_line(self, encoded: bytes, position: int) -> int:
        """Add to the current line, and read it once it is complete; return where the next begins."""
        end = encoded.find(b"\n", position) + 1
        self._line += encoded[position : end or len(encoded)]
        if len(self._line) > _MAX_LINE_BYTES:
            raise ChunkedEncodingError("a line is too long")
        if end:
            line, self._line = bytes(self._line), bytearray()
            if not line.endswith(b"\r\n"):
                raise ChunkedEncodingError("a line does not end in CRLF")
            self._read_line(line[:-2])
        return end or len(encoded)

    def _read_size(self, line: bytes) -> None:
        match = _SIZE.fullmatch(line)
        if match is None:
            raise ChunkedEncodingError(f"{line[:40]!r} is no size of a chunk")
        self._missing = int(match[1], 16)
        signature = _SIGNATURE.search(match[2] or b"")
        self._signature = signature[1].decode() if signature else ""
        if self._missing:
            self._read_line = self._read_end
        else:
            self._verify_chunk()
            self._read_line = self._read_trailer

    def _read_end(self, line: bytes) -> None:
        """Read the empty line after a chunk's data."""
        if line:
            raise ChunkedEncodingError("a chunk is longer than its size")
        self._verify_chunk()
        self._read_line = self._read_size

    def _verify_chunk(self) -> None:
        if self._verifier is not None:
            self._verifier.verify_chunk(self._signature, self._hash.hexdigest())
            self._hash = hashlib.sha256()

    def _read_trailer(self, line: bytes) -> None:
        if not line:
            self.is_complete = True
            self._verify_trailer()
            return
        name, colon, value = line.decode("latin-1").partition(":")
        if not colon or len(self.trailers) == _MAX_TRAILERS:
            raise ChunkedEncodingError("a trailing header is malformed")
        self.trailers[name.strip().lower()] = value.strip()

    def _verify_trailer(self) -> None:
        signature = self.trailers.pop("x-amz-trailer-signature", "")
        if self._verifier is not None and (signature or self.trailers):
            text = "".join(f"{name}:{value}\n" for name, value in self.trailers.items())
            self._verifier.verify_trailer(signature, text.encode("latin-1"))
