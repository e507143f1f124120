"""The headers of an object in answers, and what is stored of the headers of the request that writes it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from email.utils import format_datetime
from typing import Any

from pedigree.localaws.http.protocol.s3_errors import S3Error
from pedigree.localaws.kernel.store import Document
from pedigree.localaws.services.s3 import encryption, object_tag_operations
from pedigree.localaws.services.s3.metadata import stored_metadata
from pedigree.localaws.services.s3.storage import version_headers

STANDARD = "STANDARD"
COLD_CLASSES = ("GLACIER", "DEEP_ARCHIVE")
_CLASSES = (
    *(STANDARD, "REDUCED_REDUNDANCY", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER_IR"),
    *COLD_CLASSES,
)
_STORED = ("content-type", "cache-control", "content-disposition", "content-language", "expires")
_REDIRECT = "x-amz-website-redirect-location"


def stored_members(headers: Mapping[str, str], *, is_form: bool = False) -> dict[str, Any]:
    """Return what is stored of a request's headers with an object; the fields of a form stay as they are."""
    stored = {name: headers[name] for name in (*_STORED, _REDIRECT) if name in headers}
    encoding = headers.get("content-encoding", "").replace("aws-chunked", "").strip(", ")
    if encoding:
        stored["content-encoding"] = encoding
    members: dict[str, Any] = {
        "headers": {**stored, **stored_metadata(headers, is_form=is_form)},
        "tags": object_tag_operations.of_header(headers),
    }
    storage_class = stored_class(headers)
    return {**members, "storage_class": storage_class} if storage_class != STANDARD else members


def stored_class(headers: Mapping[str, str]) -> str:
    """The storage class that a request asks for."""
    wanted = headers.get("x-amz-storage-class", STANDARD)
    if wanted not in _CLASSES:
        message = "The storage class you specified is not valid"
        raise S3Error("InvalidStorageClass", message, 400, StorageClassRequested=wanted)
    return wanted


def storage_class(body: Document) -> str:
    """The storage class of an object."""
    return str(body.get("storage_class", STANDARD))


def last_modified(body: Document) -> str:
    """When an object was written, as a header has it."""
    return format_datetime(dt.datetime.fromisoformat(body["modified"]), usegmt=True)


def object_headers(bucket: Document, body: Document, *, with_checksums: bool) -> dict[str, str]:
    """An object's headers; checksums belong to the whole object only."""
    tags = body.get("tags")
    stored = storage_class(body)
    return {
        "content-type": body.get("content_type", "binary/octet-stream"),
        **body.get("headers", {}),
        **(body.get("checksums", {}) if with_checksums else {}),
        **({"x-amz-tagging-count": str(len(tags))} if tags else {}),
        **({"x-amz-storage-class": stored} if stored != STANDARD else {}),
        **lock_headers(body),
        **_restored(body),
        **encryption.answer_headers(body),
        **version_headers(bucket, body),
        "ETag": f'"{body["etag"]}"',
        "Last-Modified": last_modified(body),
        "Accept-Ranges": "bytes",
        "Content-Length": str(body["size"]),
    }


def _restored(body: Document) -> dict[str, str]:
    end = body.get("restored")
    return {"x-amz-restore": f'ongoing-request="false", expiry-date="{end}"'} if end else {}


def lock_headers(body: Document) -> dict[str, str]:
    """What keeps an object from being deleted."""
    retention = body.get("retention") or {}
    headers = {}
    if retention:
        headers["x-amz-object-lock-mode"] = retention["Mode"]
        headers["x-amz-object-lock-retain-until-date"] = retention["RetainUntilDate"]
    if body.get("legal_hold"):
        headers["x-amz-object-lock-legal-hold"] = body["legal_hold"]
    return headers
