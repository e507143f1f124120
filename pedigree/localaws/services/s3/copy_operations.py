"""Copies of objects: the content is stored once, however many objects have it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any

from werkzeug import Response

from pedigree.localaws.http import checksums
from pedigree.localaws.http.exchange import Exchange
from pedigree.localaws.http.protocol import xml
from pedigree.localaws.http.protocol.s3_address import S3Address
from pedigree.localaws.http.protocol.s3_errors import S3Error, bad_argument, bad_request
from pedigree.localaws.kernel.store import Document
from pedigree.localaws.services.s3 import access_lists, encryption, object_checksums, object_lock, object_tag_operations
from pedigree.localaws.services.s3.blob_store import PIECE, Blob
from pedigree.localaws.services.s3.catalog import S3Location
from pedigree.localaws.services.s3.conditions import check_copy_source, precondition, write_condition
from pedigree.localaws.services.s3.listing_pages import times
from pedigree.localaws.services.s3.new_object import encryption_members
from pedigree.localaws.services.s3.object_headers import STANDARD, stored_class, stored_members
from pedigree.localaws.services.s3.storage import ObjectStorage, version_headers, written_version_headers

_ITSELF = (
    "This copy request is illegal because it is trying to copy an object to itself without changing the object's "
    "metadata, storage class, website redirect location or encryption attributes."
)
_REPLACE, _COPY = "REPLACE", "COPY"
_REDIRECT = "x-amz-website-redirect-location"
_CHANGES = ("x-amz-storage-class", _REDIRECT, "x-amz-server-side-encryption")


def open_copied(storage: ObjectStorage, exchange: Exchange, copied: S3Address) -> tuple[Document, IO[bytes]]:
    """Return the object that a request copies, and its content as an open file."""
    if not copied.bucket or not copied.key:
        raise bad_argument("x-amz-copy-source", "x-amz-copy-source", "Invalid copy source object key")
    try:
        body, file = storage.open(S3Location(copied.bucket, copied.key), copied.version or None)
    except S3Error as refusal:
        if refusal.code == "MethodNotAllowed":
            words = "The source of a copy request may not specifically refer to a delete marker by version id."
            raise bad_request(words) from None
        raise
    try:
        encryption.check_read(exchange.headers, body, encryption.COPIED_CUSTOMER)
        check_copy_source(exchange.headers, body, storage.catalog.now())
    except BaseException:
        file.close()
        raise
    return body, file


def source_headers(storage: ObjectStorage, copied: S3Address, source: Document) -> dict[str, str]:
    """The header that names the version that was copied."""
    named = written_version_headers(storage.bucket(copied.bucket), source)
    return {f"x-amz-copy-source-{name.removeprefix('x-amz-')}": version for name, version in named.items()}


def copy_object(storage: ObjectStorage, exchange: Exchange, copied: S3Address, location: S3Location) -> Response:
    headers = exchange.headers
    condition = write_condition(headers, location.key)
    if condition is not None:
        condition.check_at_start(storage.catalog.find(location))
    _check_itself(storage, headers, copied, location)
    source, file = open_copied(storage, exchange, copied)
    with file, storage.catalog.blobs.pinned(source["blob"]):
        blob = Blob(source["blob"], source["size"], _content_md5(source, file))
        members = {**_members(storage, exchange, source, location), "checksums": _checksums(headers, source, file)}
        with storage.store.transaction():
            body = storage.catalog.record(location, blob, precondition(headers, location.key), **members)
            storage.publish_event(exchange, "ObjectCreated:Copy", location, body)
    result = {
        "LastModified": times(body["modified"]),
        "ETag": f'"{body["etag"]}"',
        **object_checksums.elements(body),
    }
    answered = {
        **encryption.answer_headers(body),
        **version_headers(storage.bucket(location.bucket), body),
        **source_headers(storage, copied, source),
    }
    content = xml.document("CopyObjectResult", result)
    return Response(content, headers=answered, content_type="application/xml")


def _check_itself(storage: ObjectStorage, headers: Mapping[str, str], copied: S3Address, location: S3Location) -> None:
    """InvalidRequest for a copy of an object to itself that changes nothing."""
    directive = headers.get("x-amz-metadata-directive", _COPY)
    if directive not in (_REPLACE, _COPY):
        raise bad_argument("x-amz-metadata-directive", directive, "Unknown metadata directive.")
    if (copied.bucket, copied.key) != (location.bucket, location.key) or copied.version:
        return
    is_versioned = bool(storage.bucket(location.bucket).get("versioning"))
    body = storage.catalog.find(location)
    has_customers_key = body is not None and encryption.is_customers(body)
    is_changed = directive == _REPLACE or any(name in headers for name in _CHANGES)
    if not (is_changed or is_versioned or has_customers_key):
        raise bad_request(_ITSELF)


def _members(storage: ObjectStorage, exchange: Exchange, source: Document, location: S3Location) -> dict[str, Any]:
    """What is stored with a copy: of its source, or of the request where that replaces it."""
    headers = exchange.headers
    if headers.get("x-amz-metadata-directive") == _REPLACE:
        members = stored_members(headers)
    else:
        kept = {name: value for name, value in source.get("headers", {}).items() if name != _REDIRECT}
        given = {_REDIRECT: headers[_REDIRECT]} if _REDIRECT in headers else {}
        members = {"headers": {**kept, **given}}
        if "content_type" in source:
            members["content_type"] = source["content_type"]
    storage_class = stored_class(headers)
    return {
        **members,
        **({"storage_class": storage_class} if storage_class != STANDARD else {}),
        **encryption_members(storage, exchange, location),
        **object_lock.new_members(storage, headers, location),
        **access_lists.new_object_members(storage, headers, location),
        "tags": object_tag_operations.of_copy(headers, source),
    }


def _checksums(headers: Mapping[str, str], source: Document, file: IO[bytes]) -> Mapping[str, str]:
    """A copy has the checksum of its source, of its whole content, unless the request asks for another."""
    known = object_checksums.algorithm_of(source)
    wanted = object_checksums.requested(headers) or known or object_checksums.DEFAULT
    if wanted == known and object_checksums.type_of(source) == object_checksums.FULL_OBJECT:
        stored: Mapping[str, str] = {object_checksums.TYPE: object_checksums.FULL_OBJECT, **source["checksums"]}
        return stored
    return object_checksums.of_file(wanted, file)


def _content_md5(body: Document, file: IO[bytes]) -> str:
    """The ETag of a copy, also of an object that was uploaded in parts or stored before this was kept."""
    if "md5" in body:
        return str(body["md5"])
    digest = checksums.md5()
    for piece in iter(lambda: file.read(PIECE), b""):
        digest.update(piece)
    return digest.digest().hex()
