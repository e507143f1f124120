"""A request's body: all of it, within bounds, before anything is locked or looked up.

A client may be slow, or gone; nobody else waits for it. What S3 keeps is a stream of any size, and is left as one.
"""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from tempfile import SpooledTemporaryFile
from typing import IO, Any, TypeAlias

from pedigree.localaws.http.protocol.errors import ServiceError, UnreadableRequestError

Environ: TypeAlias = dict[str, Any]
_CHUNK = 1 << 20
_IN_MEMORY = 8 << 20
_USUAL_MOST = 8 << 20
# An archive of a function as base64; a call of a model or a function is bounded by what answers it.
_MOST = {"lambda": 96 << 20, "s3": 6 << 30}
_STREAMS = ("s3",)


class IncompleteError(ServiceError):
    """A body that ends too early, or does not come."""

    def __init__(self, why: str, code: str = "IncompleteBody", status: int = 400) -> None:
        super().__init__(code, f"The request body {why}", status)


@contextmanager
def whole(environ: Environ, service: str) -> Iterator[None]:
    """Have the body at hand, with its length told; ServiceError if that cannot be."""
    with ExitStack() as stack:
        _make_whole(environ, service, stack)
        yield


def _make_whole(environ: Environ, service: str, stack: ExitStack) -> None:
    most = _MOST.get(service, _USUAL_MOST)
    if environ.pop("HTTP_TRANSFER_ENCODING", ""):
        spool = stack.enter_context(SpooledTemporaryFile(max_size=_IN_MEMORY))  # noqa: SIM115  # the stack closes it
        _unchunk(environ["wsgi.input"], spool, most)
        _hold(environ, spool)
    length = int(environ.get("CONTENT_LENGTH") or 0)
    if length > most:
        raise _too_large(most)
    if length and service not in _STREAMS:
        body = _read(environ["wsgi.input"], length)
        if len(body) < length:
            raise IncompleteError(f"has {len(body)} bytes of {length}")
        environ["wsgi.input"] = io.BytesIO(body)
    if environ.get("HTTP_CONTENT_ENCODING") == "gzip" and service not in _STREAMS:
        _hold(environ, _unpacked(environ["wsgi.input"], most))


def _read(stream: Any, size: int) -> bytes:
    try:
        read: bytes = stream.read(size)
    except (TimeoutError, ConnectionError):
        raise IncompleteError("did not come in time", "RequestTimeout", 408) from None
    except (ValueError, OSError) as error:
        raise IncompleteError(f"is no chunked encoding: {error}") from None
    return read


def _unchunk(stream: Any, whole: IO[bytes], most: int) -> None:
    """Write down a chunked body, on disk if it is large."""
    while piece := _read(stream, _CHUNK):
        whole.write(piece)
        if whole.tell() > most:
            raise _too_large(most)


def _unpacked(packed: Any, most: int) -> IO[bytes]:
    """A body that a client has packed, which clients of CloudWatch do with large ones."""
    try:
        content = gzip.GzipFile(fileobj=packed).read(most + 1)
    except (OSError, EOFError, zlib.error):
        raise UnreadableRequestError("The request's body is no gzip") from None
    if len(content) > most:
        raise _too_large(most)
    return io.BytesIO(content)


def _too_large(most: int) -> ServiceError:
    return ServiceError("RequestEntityTooLargeException", f"The request is larger than {most} bytes", 413)


def _hold(environ: Environ, whole: IO[bytes]) -> None:
    environ["CONTENT_LENGTH"] = str(whole.seek(0, io.SEEK_END))
    whole.seek(0)
    environ["wsgi.input"] = whole
