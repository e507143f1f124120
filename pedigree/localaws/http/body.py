"""Reads a request's body: all of it, within bounds, before anything is locked or looked up.

A slow or lost client blocks no other request. An object of S3 may have any size, so its body stays a stream.
"""

from __future__ import annotations

import gzip
import io
import zlib
from tempfile import SpooledTemporaryFile
from typing import IO, Any, cast

from werkzeug.wsgi import LimitedStream

from pedigree.localaws.http.exchange import LARGEST_IN_MEMORY, Exchange
from pedigree.localaws.http.protocol.errors import RequestTooLargeError, ServiceError, UnreadableRequestError

_CHUNK = 1 << 20
# An archive of a function as base64; a call of a model or a function is bounded by what answers it.
_MOST = {"lambda": 96 << 20, "s3": 6 << 30}
_STREAMS = ("s3",)


class IncompleteBodyError(ServiceError):
    """A body that ends too early, or does not come."""

    def __init__(self, why: str, code: str = "IncompleteBody", status: int = 400) -> None:
        super().__init__(code, f"The request body {why}", status)


def read_body(exchange: Exchange) -> None:
    """Read the body, or say how long its stream is; ServiceError if that cannot be."""
    most = _MOST.get(exchange.service, LARGEST_IN_MEMORY)
    if exchange.headers.get("transfer-encoding"):
        _unchunk(exchange, most)
    if exchange.length > most:
        raise RequestTooLargeError(most)
    if exchange.service in _STREAMS:
        exchange.stream = cast(IO[bytes], LimitedStream(exchange.stream, exchange.length))
        return
    body = _read(exchange.stream, exchange.length) if exchange.length else b""
    if len(body) < exchange.length:
        raise IncompleteBodyError(f"has {len(body)} bytes of {exchange.length}")
    exchange.body = _unpacked(body, most) if exchange.headers.get("content-encoding") == "gzip" else body


def _read(stream: Any, size: int) -> bytes:
    try:
        content: bytes = stream.read(size)
    except (TimeoutError, ConnectionError):
        raise IncompleteBodyError("did not come in time", "RequestTimeout", 408) from None
    except (ValueError, OSError) as error:
        raise IncompleteBodyError(f"is no chunked encoding: {error}") from None
    return content


def _unchunk(exchange: Exchange, most: int) -> None:
    """Store a body that comes in chunks, on disk if it is large."""
    spool: IO[bytes] = SpooledTemporaryFile(max_size=LARGEST_IN_MEMORY)  # noqa: SIM115  # closed with the exchange
    exchange.closing.enter_context(spool)
    while piece := _read(exchange.stream, _CHUNK):
        spool.write(piece)
        if spool.tell() > most:
            raise RequestTooLargeError(most)
    exchange.length = spool.tell()
    spool.seek(0)
    exchange.stream = spool


def _unpacked(packed: bytes, most: int) -> bytes:
    """A body that a client has packed, which clients of CloudWatch do with large ones."""
    try:
        content = gzip.GzipFile(fileobj=io.BytesIO(packed)).read(most + 1)
    except (OSError, EOFError, zlib.error):
        raise UnreadableRequestError("The request's body is no gzip") from None
    if len(content) > most:
        raise RequestTooLargeError(most)
    return content
