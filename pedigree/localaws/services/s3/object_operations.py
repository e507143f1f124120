"""Objects: written, read and deleted, each whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, cast

from werkzeug import Response
from werkzeug.wsgi import FileWrapper, LimitedStream

from pedigree.localaws.http.checksums import PREFIX
from pedigree.localaws.http.exchange import Exchange
from pedigree.localaws.http.protocol.s3_address import copy_source
from pedigree.localaws.http.protocol.s3_errors import S3Error
from pedigree.localaws.kernel.store import Document
from pedigree.localaws.services.s3 import encryption, object_checksums, object_lock
from pedigree.localaws.services.s3.blob_store import PIECE
from pedigree.localaws.services.s3.bucket_configuration import configuration_text
from pedigree.localaws.services.s3.catalog import S3Location
from pedigree.localaws.services.s3.conditions import (
    NotModifiedError,
    ReadCondition,
    deletion_precondition,
    precondition,
)
from pedigree.localaws.services.s3.copy_operations import copy_object
from pedigree.localaws.services.s3.lifecycle_rules import expiration_header
from pedigree.localaws.services.s3.new_object import new_members
from pedigree.localaws.services.s3.object_headers import COLD_CLASSES, object_headers, storage_class
from pedigree.localaws.services.s3.ranges import requested_range
from pedigree.localaws.services.s3.storage import (
    ObjectStorage,
    check_version,
    marker_headers,
    requested_version,
    written_version_headers,
)
from pedigree.localaws.services.s3.version_history import is_delete_marker

_EMPTY_ETAG = "d41d8cd98f00b204e9800998ecf8427e"  # MD5's of nothing, which a delete marker has in events
_OVERRIDES = (
    *("content-type", "content-language", "expires", "cache-control", "content-disposition", "content-encoding"),
)


def put_object(storage: ObjectStorage, exchange: Exchange, location: S3Location) -> Response:
    headers, payload = exchange.headers, exchange.payload
    copied = copy_source(headers)
    if copied is not None:
        return copy_object(storage, exchange, copied, location)
    assert payload is not None
    members = {**new_members(storage, exchange, location), "checksums": object_checksums.of_content(payload.checksums)}
    name = "ObjectCreated:Put" if exchange.form is None else "ObjectCreated:Post"
    with storage.catalog.blobs.added_payload(payload) as blob, storage.store.transaction():
        body = storage.catalog.record(location, blob, precondition(headers, location.key), **members)
        storage.publish_event(exchange, name, location, body)
    bucket = storage.bucket(location.bucket)
    lifecycle = configuration_text(storage.store, location.bucket, "lifecycle")
    answered = {
        "ETag": f'"{body["etag"]}"',
        **expiration_header(lifecycle, location.key, body),
        **body["checksums"],
        **encryption.answer_headers(body),
        **written_version_headers(bucket, body),
    }
    return Response(status=200, headers=answered)


def get_object(storage: ObjectStorage, exchange: Exchange, location: S3Location) -> Response:
    body, file = storage.open(location, requested_version(exchange), exchange.method)
    try:
        encryption.check_read(exchange.headers, body)
        lifecycle = configuration_text(storage.store, location.bucket, "lifecycle")
        expiration = expiration_header(lifecycle, location.key, body)
        answer = _object_response(exchange, storage.bucket(location.bucket), body, file)
        answer.headers.extend(expiration)
        return answer
    except BaseException:
        file.close()
        raise


def _object_response(exchange: Exchange, bucket: Document, body: Document, file: IO[bytes]) -> Response:
    if exchange.method == "GET":
        _check_not_cold(body)
    section = requested_range(exchange, body)
    is_whole = (section.start, section.end) == (0, body["size"])
    wants_checksums = exchange.headers.get("x-amz-checksum-mode", "").upper() == "ENABLED"
    headers = object_headers(bucket, body, with_checksums=wants_checksums and is_whole)
    try:
        ReadCondition.of(exchange.headers).check(body)
    except NotModifiedError:
        file.close()
        return Response(status=304, headers={name: headers[name] for name in ("ETag", "Last-Modified")})
    shown = {name: value for name, value in section.headers.items() if wants_checksums or not name.startswith(PREFIX)}
    headers |= {**_overrides(exchange), **shown, "Content-Length": str(section.end - section.start)}
    if exchange.method == "HEAD":
        file.close()
        return Response(status=section.status, headers=headers)
    file.seek(section.start)
    content = FileWrapper(cast(IO[bytes], _Section(file, section.end - section.start)), PIECE)
    return Response(content, section.status, headers, direct_passthrough=True)


def _overrides(exchange: Exchange) -> Mapping[str, str]:
    """The headers that the query asks to be answered otherwise."""
    given = {name: exchange.args.get(f"response-{name}") for name in _OVERRIDES}
    return {name: value for name, value in given.items() if value}


def _check_not_cold(body: Document) -> None:
    stored = storage_class(body)
    if stored in COLD_CLASSES and not body.get("restored"):
        message = "The operation is not valid for the object's storage class"
        raise S3Error("InvalidObjectState", message, 403, StorageClass=stored)


class _Section(LimitedStream):
    """A part of a file, which is closed with it."""

    def __init__(self, file: IO[bytes], size: int) -> None:
        super().__init__(file, size)
        self._whole_file = file

    def close(self) -> None:
        self._whole_file.close()


def delete_object(storage: ObjectStorage, exchange: Exchange, location: S3Location) -> Response:
    if "x-amz-if-match-last-modified-time" in exchange.headers or "x-amz-if-match-size" in exchange.headers:
        header = next(name for name in exchange.headers if name.startswith("x-amz-if-match-"))
        message = "A header you provided implies functionality that is not implemented"
        raise S3Error("NotImplemented", message, 501, Header=header)
    version = requested_version(exchange)
    bypass = object_lock.check_bypass(storage, exchange, location)
    if version is None:
        etag = exchange.headers.get("if-match")
        marker = remove_object(storage, exchange, location, etag)
        return Response(status=204, headers=marker_headers(marker) if marker else {})
    bucket = storage.bucket(location.bucket)
    check_version(bucket, version)
    removed = delete_version(storage, exchange, location, version, bypass=bypass)
    if not bucket.get("versioning"):
        return Response(status=204)
    is_marker = removed is not None and is_delete_marker(removed)
    headers = {"x-amz-version-id": version, **({"x-amz-delete-marker": "true"} if is_marker else {})}
    return Response(status=204, headers=headers)


def remove_object(
    storage: ObjectStorage, exchange: Exchange, location: S3Location, etag: str | None
) -> Document | None:
    """Remove an object; return the delete marker that stands for it now, if its bucket has versions."""
    with storage.store.transaction():
        marker = storage.catalog.remove(location, deletion_precondition(etag, location.key))
        name = "ObjectRemoved:Delete" if marker is None else "ObjectRemoved:DeleteMarkerCreated"
        told = {**marker, "etag": _EMPTY_ETAG} if marker else {"number": storage.store.next_number()}
        storage.publish_event(exchange, name, location, told)
        return marker


def delete_version(
    storage: ObjectStorage, exchange: Exchange, location: S3Location, version: str, *, bypass: bool
) -> Document | None:
    """Remove a version for good, unless it is locked; return what it was."""
    with storage.store.transaction():
        body = storage.catalog.find_version(location, version)
        if body is not None:
            object_lock.check_deletion(body, storage.catalog.now(), bypass=bypass)
            named = {"version": version, "number": storage.store.next_number()}
            storage.publish_event(exchange, "ObjectRemoved:Delete", location, named)
        return storage.catalog.remove_version(location, version)
