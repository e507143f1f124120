"""Lists the uploads of a bucket that are in progress, and the parts of one of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from werkzeug import Response

from pedigree.localaws.http.exchange import Exchange
from pedigree.localaws.http.protocol import xml
from pedigree.localaws.http.protocol.s3_errors import bad_argument
from pedigree.localaws.kernel.store import Document
from pedigree.localaws.services.s3 import object_checksums
from pedigree.localaws.services.s3.catalog import S3Location
from pedigree.localaws.services.s3.listing_pages import encoder, page_size, times
from pedigree.localaws.services.s3.object_headers import storage_class
from pedigree.localaws.services.s3.storage import ObjectStorage


def list_parts(storage: ObjectStorage, exchange: Exchange, location: S3Location) -> Response:
    """List the parts of an upload that have come so far."""
    upload_id = exchange.args["uploadId"]
    upload = storage.uploads.get(upload_id, location)
    most = page_size(exchange, "max-parts")
    marker = _marker(exchange)
    left = [part for part in storage.uploads.parts(upload_id) if part["number"] > marker]
    page = left[:most]
    algorithm = str(upload.get("algorithm", ""))
    result = {
        "Bucket": location.bucket,
        "Key": location.key,
        "UploadId": upload_id,
        **_people(storage, upload),
        "StorageClass": storage_class(upload["members"]),
        **_algorithm(upload),
        "PartNumberMarker": marker,
        "NextPartNumberMarker": page[-1]["number"] if page else 0,
        "MaxParts": most,
        "IsTruncated": len(left) > most,
        "Part": [_part(part, algorithm) for part in page],
    }
    return Response(xml.document("ListPartsResult", result), content_type="application/xml")


def list_multipart_uploads(storage: ObjectStorage, exchange: Exchange, location: S3Location) -> Response:
    """List uploads by key; keys with the same part before a delimiter are one common prefix."""
    args, encode = exchange.args, encoder(exchange)
    prefix, delimiter = args.get("prefix", ""), args.get("delimiter", "")
    key_marker = args.get("key-marker", "")
    id_marker = args.get("upload-id-marker", "") if key_marker else ""
    uploads = storage.uploads.in_progress(location.bucket)
    if id_marker and id_marker not in (name for name, _ in uploads):
        raise bad_argument("upload-id-marker", id_marker, "Invalid uploadId marker")
    most = page_size(exchange, "max-uploads")
    left = list(_grouped(_after(uploads, key_marker, id_marker), prefix, delimiter))
    left = [each for each in left if not (each[2] is None and each[0] <= key_marker)]
    page = left[:most]
    is_truncated = len(left) > most
    listed = [(key, name, upload) for key, name, upload in page if upload is not None]
    last = page[-1] if page and page[-1][2] is not None else None
    result: dict[str, Any] = {
        "Bucket": location.bucket,
        "KeyMarker": encode(key_marker),
        "UploadIdMarker": id_marker,
        "NextKeyMarker": encode(last[0]) if last else "",
        "NextUploadIdMarker": last[1] if last else "",
        "Delimiter": encode(delimiter) if delimiter else None,
        "Prefix": encode(prefix) if prefix else None,
        "EncodingType": args.get("encoding-type"),
        "MaxUploads": most,
        "IsTruncated": is_truncated,
        "Upload": [_upload(storage, encode(key), name, upload) for key, name, upload in listed],
        "CommonPrefixes": [{"Prefix": encode(key)} for key, _, upload in page if upload is None],
    }
    return Response(xml.document("ListMultipartUploadsResult", result), content_type="application/xml")


def _after(uploads: Any, key_marker: str, id_marker: str) -> Iterator[tuple[str, Document]]:
    """The uploads after a marker: those to its key as well, if they began after the marked one."""
    is_after = False
    for name, upload in uploads:
        if upload["key"] > key_marker or (upload["key"] == key_marker and id_marker and is_after):
            yield name, upload
        is_after = is_after or name == id_marker


def _grouped(uploads: Any, prefix: str, delimiter: str) -> Iterator[tuple[str, str, Document | None]]:
    """Keys, ids and documents; keys with the same part before a delimiter are one prefix, without a document."""
    last = ""
    for name, upload in uploads:
        key = upload["key"]
        if not key.startswith(prefix):
            continue
        end = key.find(delimiter, len(prefix)) if delimiter else -1
        if end < 0:
            yield key, name, upload
        elif key[: end + len(delimiter)] != last:
            last = key[: end + len(delimiter)]
            yield last, "", None


def _upload(storage: ObjectStorage, key: str, name: str, upload: Document) -> dict[str, Any]:
    return {
        "Key": key,
        "UploadId": name,
        **_people(storage, upload),
        "StorageClass": storage_class(upload["members"]),
        "Initiated": times(upload["started"]) if "started" in upload else None,
        **_algorithm(upload),
    }


def _people(storage: ObjectStorage, upload: Document) -> dict[str, Any]:
    arn = str(upload.get("caller", ""))
    is_root = not arn or arn.endswith(":root")
    name = "local" if is_root else arn.rpartition("/")[2]
    return {
        "Initiator": {"ID": storage.owner if is_root else arn, "DisplayName": name},
        "Owner": {"ID": storage.owner},
    }


def _algorithm(upload: Document) -> dict[str, str]:
    algorithm = str(upload.get("algorithm", ""))
    kind = str(upload.get("kind", ""))
    return {"ChecksumAlgorithm": algorithm.upper(), "ChecksumType": kind} if algorithm else {}


def _part(part: Document, algorithm: str) -> dict[str, Any]:
    return {
        "PartNumber": part["number"],
        "LastModified": times(part["modified"]) if "modified" in part else None,
        "ETag": f'"{part["etag"]}"',
        "Size": part["size"],
        **object_checksums.part_elements(part, algorithm),
    }


def _marker(exchange: Exchange) -> int:
    text = exchange.args.get("part-number-marker", "")
    if text and not text.isdecimal():
        words = "Argument part-number-marker must be an integer between 0 and 2147483647"
        raise bad_argument("part-number-marker", text, words)
    return int(text or 0)
