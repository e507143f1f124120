"""Objects: written, copied, read and deleted, each whole or not at all."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from email.utils import format_datetime
from typing import IO, Any, cast

from werkzeug import Response
from werkzeug.http import parse_range_header
from werkzeug.wsgi import FileWrapper, LimitedStream

from pedigree.localaws.http import checksums
from pedigree.localaws.http.exchange import Exchange
from pedigree.localaws.http.protocol import xml
from pedigree.localaws.http.protocol.s3_address import S3Address, copy_source
from pedigree.localaws.http.protocol.s3_errors import S3Error, unsupported
from pedigree.localaws.kernel.store import Document
from pedigree.localaws.services.s3 import object_tag_operations
from pedigree.localaws.services.s3.blob_store import PIECE, Blob
from pedigree.localaws.services.s3.catalog import S3Location
from pedigree.localaws.services.s3.conditions import (
    NotModifiedError,
    ReadCondition,
    check_copy_source,
    deletion_precondition,
    precondition,
)
from pedigree.localaws.services.s3.storage import ObjectStorage

_STORED_HEADERS = ("content-type", "cache-control", "content-disposition", "content-language", "expires")
_METADATA_PREFIX = "x-amz-meta-"
_MAX_METADATA_BYTES = 2048


def put_object(storage: ObjectStorage, exchange: Exchange, location: S3Location) -> Response:
    headers, payload = exchange.headers, exchange.payload
    copied = copy_source(headers)
    if copied is not None:
        return _copy_object(storage, headers, copied, location)
    assert payload is not None
    members = {**stored_members(headers), "checksums": dict(payload.checksums)}
    with storage.catalog.blobs.added_payload(payload) as blob:
        body = storage.catalog.record(location, blob, precondition(headers, location.key), **members)
    return Response(status=200, headers={"ETag": f'"{body["etag"]}"', **body["checksums"]})


def open_copied(storage: ObjectStorage, copied: S3Address) -> tuple[Document, IO[bytes]]:
    """Return the object that a request copies, and its content as an open file."""
    if copied.version:
        raise unsupported("Copying a version of an object")
    return storage.open(S3Location(copied.bucket, copied.key))


def _copy_object(
    storage: ObjectStorage, headers: Mapping[str, str], copied: S3Address, location: S3Location
) -> Response:
    """Copy an object: its content is stored once, however many objects have it."""
    source, file = open_copied(storage, copied)
    with file, storage.catalog.blobs.pinned(source["blob"]):
        check_copy_source(headers, source)
        members = stored_members(headers) if headers.get("x-amz-metadata-directive") == "REPLACE" else {}
        tags = object_tag_operations.of_copy(headers, source)
        kept = {name: source[name] for name in ("headers", "checksums", "content_type") if name in source}
        blob = Blob(source["blob"], source["size"], _content_md5(source, file))
        stored = {**kept, **members, "tags": tags}
        body = storage.catalog.record(location, blob, precondition(headers, location.key), **stored)
    result = {"LastModified": body["modified"], "ETag": f'"{body["etag"]}"'}
    return Response(xml.document("CopyObjectResult", result), content_type="application/xml")


def _content_md5(body: Document, file: IO[bytes]) -> str:
    """The ETag of a copy, also of an object that was uploaded in parts or stored before this was kept."""
    if "md5" in body:
        return str(body["md5"])
    digest = checksums.md5()
    for piece in iter(lambda: file.read(PIECE), b""):
        digest.update(piece)
    return digest.digest().hex()


def get_object(storage: ObjectStorage, exchange: Exchange, location: S3Location) -> Response:
    body, file = storage.open(location)
    try:
        return _object_response(exchange, body, file)
    except BaseException:
        file.close()
        raise


def _object_response(exchange: Exchange, body: Document, file: IO[bytes]) -> Response:
    is_part = bool(exchange.headers.get("range"))
    wants_checksums = exchange.headers.get("x-amz-checksum-mode") == "ENABLED"
    headers = _object_headers(body, with_checksums=wants_checksums and not is_part)
    try:
        ReadCondition.of(exchange.headers).check(body)
    except NotModifiedError:
        file.close()
        return Response(status=304, headers={name: headers[name] for name in ("ETag", "Last-Modified")})
    start, end = _range(exchange, body["size"])
    if is_part:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{body['size']}"
    headers["Content-Length"] = str(end - start)
    status = 206 if is_part else 200
    if exchange.method == "HEAD":
        file.close()
        return Response(status=status, headers=headers)
    file.seek(start)
    content = FileWrapper(cast(IO[bytes], _Section(file, end - start)), PIECE)
    return Response(content, status, headers, direct_passthrough=True)


class _Section(LimitedStream):
    """A part of a file, which is closed with it."""

    def __init__(self, file: IO[bytes], size: int) -> None:
        super().__init__(file, size)
        self._whole_file = file

    def close(self) -> None:
        self._whole_file.close()


def _range(exchange: Exchange, size: int) -> tuple[int, int]:
    """Return the first byte and the end of the requested range."""
    requested = parse_range_header(exchange.headers.get("range"))
    if requested is None:
        return 0, size
    bounds = requested.range_for_length(size) if requested.units == "bytes" else None
    if bounds is None:
        raise S3Error("InvalidRange", "The requested range is not satisfiable", 416)
    return bounds


def delete_object(storage: ObjectStorage, exchange: Exchange, location: S3Location) -> Response:
    storage.catalog.remove(location, deletion_precondition(exchange.headers.get("if-match"), location.key))
    return Response(status=204)


def stored_members(headers: Mapping[str, str]) -> Mapping[str, Any]:
    """Return what is stored of a request's headers with an object."""
    stored = {
        name: value for name, value in headers.items() if name in _STORED_HEADERS or name.startswith(_METADATA_PREFIX)
    }
    metadata = [name.removeprefix(_METADATA_PREFIX) + stored[name] for name in stored if name not in _STORED_HEADERS]
    if len("".join(metadata).encode()) > _MAX_METADATA_BYTES:
        raise S3Error("MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size", 400)
    encoding = headers.get("content-encoding", "").replace("aws-chunked", "").strip(", ")
    if encoding:
        stored["content-encoding"] = encoding
    return {"headers": stored, "tags": object_tag_operations.of_header(headers)}


def _object_headers(body: Document, *, with_checksums: bool) -> dict[str, str]:
    """Return an object's headers; checksums belong to the whole object only."""
    modified = dt.datetime.fromisoformat(body["modified"])
    tags = body.get("tags")
    return {
        "content-type": body.get("content_type", "binary/octet-stream"),
        **body.get("headers", {}),
        **(body.get("checksums", {}) if with_checksums else {}),
        **({"x-amz-tagging-count": str(len(tags))} if tags else {}),
        "ETag": f'"{body["etag"]}"',
        "Last-Modified": format_datetime(modified, usegmt=True),
        "Accept-Ranges": "bytes",
        "Content-Length": str(body["size"]),
    }
