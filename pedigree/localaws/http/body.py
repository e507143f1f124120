"""Receives a request's body: within bounds, to a spool, and after the request's head was found to be good.

Nothing is locked or looked up while it comes, so a slow or lost client blocks no other request.
"""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

from pedigree.localaws.http import checksums
from pedigree.localaws.http.exchange import Exchange
from pedigree.localaws.http.form_upload import FormFileReader
from pedigree.localaws.http.payload import ContentReader, IncompleteBodyError, PlainReader
from pedigree.localaws.http.protocol.errors import RequestTooLargeError, UnreadableRequestError
from pedigree.localaws.http.protocol.s3_address import address
from pedigree.localaws.http.spool import Spool

_PIECE = 256 << 10
_MIB = 1 << 20
_LARGEST_OBJECT = 5 << 30
_LARGEST_DOCUMENT = 4 * _MIB  # CompleteMultipartUpload with 10,000 parts and their checksums
_LARGEST_ARCHIVE = 70_167_211  # of CreateFunction and UpdateFunctionCode: 50 MB of an archive as base64
# What AWS takes in a request, with some room where the service has an error of its own for more.
_MOST = {"sagemaker-runtime": 7 * _MIB, "sqs": 4 * _MIB, "logs": 4 * _MIB, "monitoring": 4 * _MIB}
_MOST_OF_ANY_OTHER = 2 * _MIB
_LARGEST_EVENT = 7 * _MIB


def body_receiver(folder: Path) -> Callable[[Exchange], None]:
    """Receives bodies; those that are large become files in a folder until they are answered.

    It is called again with the same exchange when the rest of a body has come that was not there the first time.
    """

    def receive_body(exchange: Exchange) -> None:
        if exchange.reader is None:
            exchange.reader = _reader(exchange, folder)
        while piece := read_piece(exchange, exchange.reader.received):
            exchange.reader.write(piece)
        exchange.payload = exchange.reader.finish()

    return receive_body


def unpack_body(exchange: Exchange) -> None:
    """Unpack a body that a client has packed, which clients of CloudWatch do with large ones."""
    if exchange.service != "s3" and exchange.headers.get("content-encoding") == "gzip":
        exchange.body = _unpacked(exchange.body, _most(exchange))


def _reader(exchange: Exchange, folder: Path) -> PlainReader:
    """The reader of a body that may come; RequestTooLargeError if it is announced to be too large."""
    most = _most(exchange)
    if exchange.form is None and exchange.length is not None and exchange.length > most:
        raise RequestTooLargeError(most)
    spool = Spool(folder)
    exchange.closing.callback(spool.close)
    if exchange.form is not None:
        return FormFileReader(exchange.form, spool, exchange.length)
    if exchange.service == "s3":
        headers, is_object = _headers_of_body(exchange), _is_object(exchange)
        return ContentReader(spool, exchange.length, most, headers, exchange.chunk_verifier, is_object=is_object)
    return PlainReader(spool, exchange.length, most)


def _headers_of_body(exchange: Exchange) -> Mapping[str, str]:
    """The headers that describe the body; a checksum that comes with the list of parts is the joined object's."""
    if exchange.method == "POST" and "uploadId" in exchange.args:
        return {name: value for name, value in exchange.headers.items() if not name.startswith(checksums.PREFIX)}
    return exchange.headers


def _most(exchange: Exchange) -> int:
    return _MOST_OF[exchange.service](exchange) if exchange.service in _MOST_OF else _most_of_service(exchange)


def _most_of_service(exchange: Exchange) -> int:
    return _MOST.get(exchange.service, _MOST_OF_ANY_OTHER)


def _most_of_lambda(exchange: Exchange) -> int:
    return _LARGEST_EVENT if exchange.path.rstrip("/").endswith("/invocations") else _LARGEST_ARCHIVE


def _most_of_s3(exchange: Exchange) -> int:
    """An object or a part may be large, all other bodies are documents."""
    return _LARGEST_OBJECT if _is_object(exchange) else _LARGEST_DOCUMENT


def _is_object(exchange: Exchange) -> bool:
    """Whether a body is the content of an object, or of a part of one."""
    is_put = exchange.method == "PUT" and bool(address(exchange.raw_path).key)
    return is_put and not any(_names_document(word) for word in exchange.args)


def _names_document(word: str) -> bool:
    """Whether a word in the query names a part of an object that is set by a document, as its tags."""
    return word not in ("partNumber", "uploadId", "x-id") and not word.lower().startswith("x-amz-")


_MOST_OF: Mapping[str, Callable[[Exchange], int]] = {"lambda": _most_of_lambda, "s3": _most_of_s3}


def read_piece(exchange: Exchange, received: int, most: int = _PIECE) -> bytes:
    """The next piece of the body, after what was received; none if it is over."""
    size = most if exchange.length is None else min(most, exchange.length - received)
    try:
        return exchange.stream.read(size) if size else b""
    except (TimeoutError, ConnectionError):
        raise IncompleteBodyError("did not come in time", "RequestTimeout", 400) from None
    except (ValueError, OSError) as error:
        raise IncompleteBodyError(f"is no chunked encoding: {error}") from None


def _unpacked(packed: bytes, most: int) -> bytes:
    try:
        content = gzip.GzipFile(fileobj=io.BytesIO(packed)).read(most + 1)
    except (OSError, EOFError, zlib.error):
        raise UnreadableRequestError("The request's body is no gzip") from None
    if len(content) > most:
        raise RequestTooLargeError(most)
    return content
