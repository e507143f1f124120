"""The body of a request as it comes over the connection: of an announced length, or in chunks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from pedigree.localaws.http.chunked_encoding import ChunkedDecoder

_PIECE = 64 << 10


class BodyPendingError(Exception):
    """More of a body is expected; the request goes on when it has come, with any worker."""


class Source(Protocol):
    """The connection that the body comes over."""

    def has_data(self) -> bool: ...

    def read(self, size: int = -1, /) -> bytes: ...

    def unread(self, content: bytes, /) -> None: ...


class RequestBody:
    """Reads a body; a client that waits for the word to send it gets that with the first read."""

    def __init__(self, source: Source, length: int | None, allow_sending: Callable[[], None]) -> None:
        self._source = source
        self._remaining = length or 0
        self._decoder = ChunkedDecoder() if length is None else None
        self._decoded = bytearray()
        self._allow_sending = allow_sending
        self._is_begun = False

    @property
    def is_exhausted(self) -> bool:
        """Whether nothing of it is left on the connection."""
        return not self._remaining if self._decoder is None else self._decoder.is_complete

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes; none at its end, and BodyPendingError if they have not come yet."""
        if not self._is_begun and not self.is_exhausted:
            self._is_begun = True
            self._allow_sending()
        wanted = size if size >= 0 else _PIECE
        if self._decoder is not None:
            return self._read_chunks(self._decoder, wanted)
        if not self._remaining or not wanted:
            return b""
        piece = self._source.read(min(wanted, self._remaining))
        self._remaining -= len(piece)
        return piece

    def finish_early(self) -> bool:
        """Pass over a rest that has come already, and return whether the connection can be used for another request."""
        while not self.is_exhausted and self._source.has_data():
            if not self.read(_PIECE):
                break
        return self.is_exhausted

    def _read_chunks(self, decoder: ChunkedDecoder, size: int) -> bytes:
        while not self._decoded and not decoder.is_complete:
            encoded = self._source.read(_PIECE)
            if not encoded:
                raise ValueError("it ends before its last chunk")
            for content in decoder.decode(encoded):
                self._decoded += content
            self._source.unread(decoder.unused)
        piece = bytes(self._decoded[:size])
        del self._decoded[:size]
        return piece
