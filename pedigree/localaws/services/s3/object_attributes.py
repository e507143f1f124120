"""GetObjectAttributes: what a request names of an object's size, checksum, class and parts, without its content."""

from __future__ import annotations

from typing import Any

from werkzeug import Response

from pedigree.localaws.http.exchange import Exchange
from pedigree.localaws.http.protocol import xml
from pedigree.localaws.http.protocol.s3_errors import S3Error, bad_argument
from pedigree.localaws.kernel.store import Document
from pedigree.localaws.services.s3 import encryption, object_checksums
from pedigree.localaws.services.s3.catalog import S3Location
from pedigree.localaws.services.s3.object_headers import last_modified, storage_class
from pedigree.localaws.services.s3.storage import ObjectStorage, requested_version, version_headers

_HEADER = "x-amz-object-attributes"
_KNOWN = ("ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize")
_MOST_PARTS = 1000


def get_object_attributes(storage: ObjectStorage, exchange: Exchange, location: S3Location) -> Response:
    """Answer with the attributes that the request names."""
    body = storage.find(location, requested_version(exchange))
    encryption.check_read(exchange.headers, body)
    wanted = [name.strip() for name in exchange.headers.get(_HEADER, "").split(",") if name.strip()]
    if not wanted:
        message = "Your request was missing a required header"
        raise S3Error("MissingSecurityHeader", message, 400, MissingHeaderName=_HEADER)
    for name in wanted:
        if name not in _KNOWN:
            raise bad_argument(_HEADER, name, "Invalid attribute name specified.")
    found = _attributes(body, exchange)
    content = xml.document("GetObjectAttributesResponse", {name: found[name] for name in _KNOWN if name in wanted})
    headers = {"Last-Modified": last_modified(body), **version_headers(storage.bucket(location.bucket), body)}
    return Response(content, headers=headers, content_type="application/xml")


def _attributes(body: Document, exchange: Exchange) -> dict[str, Any]:
    elements = {name: value.partition("-")[0] for name, value in object_checksums.elements(body).items()}
    return {
        "ETag": body["etag"],
        "Checksum": elements or None,
        "ObjectParts": _parts(body, exchange) if body.get("parts") else None,
        "StorageClass": storage_class(body),
        "ObjectSize": body["size"],
    }


def _parts(body: Document, exchange: Exchange) -> dict[str, Any]:
    """The parts; each by itself only where it has a checksum of its own."""
    parts, counted = body["parts"], {"PartsCount": len(body["parts"])}
    if object_checksums.type_of(body) != object_checksums.COMPOSITE:
        return counted
    marker, most = (_number(exchange, name) for name in ("x-amz-part-number-marker", "x-amz-max-parts"))
    most = min(most or _MOST_PARTS, _MOST_PARTS)
    left = [part for part in parts if part["number"] > marker]
    page, algorithm = left[:most], object_checksums.algorithm_of(body)
    return {
        **counted,
        "PartNumberMarker": marker,
        "NextPartNumberMarker": page[-1]["number"] if page else 0,
        "MaxParts": most,
        "IsTruncated": len(left) > most,
        "Part": [
            {
                "PartNumber": part["number"],
                "Size": part["size"],
                **object_checksums.part_elements(part, algorithm),
            }
            for part in page
        ],
    }


def _number(exchange: Exchange, header: str) -> int:
    text = exchange.headers.get(header, "")
    return int(text) if text.isdecimal() else 0
