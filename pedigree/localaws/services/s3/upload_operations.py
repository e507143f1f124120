"""Multipart uploads over HTTP."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import IO
from xml.etree.ElementTree import Element

from werkzeug import Response

from pedigree.localaws.http import checksums
from pedigree.localaws.http.exchange import Exchange
from pedigree.localaws.http.protocol import xml
from pedigree.localaws.http.protocol.s3_address import S3Address, copy_source
from pedigree.localaws.http.protocol.s3_errors import S3Error, invalid
from pedigree.localaws.services.s3.blob_store import PIECE
from pedigree.localaws.services.s3.catalog import S3Location
from pedigree.localaws.services.s3.conditions import check_copy_source, precondition, write_condition
from pedigree.localaws.services.s3.multipart import Completion, ListedPart
from pedigree.localaws.services.s3.object_operations import open_copied, stored_members
from pedigree.localaws.services.s3.storage import ObjectStorage

_FULL = "FULL_OBJECT"
_ALWAYS_FULL = "crc64nvme"
_RANGE = re.compile(r"bytes=(\d+)-(\d+)")


def create_multipart_upload(storage: ObjectStorage, exchange: Exchange, location: S3Location) -> Response:
    headers = exchange.headers
    algorithm = headers.get("x-amz-checksum-algorithm", "").lower()
    if algorithm and algorithm not in checksums.ALGORITHMS:
        raise S3Error("InvalidRequest", "Checksum algorithm provided is unsupported.", 400)
    is_full = headers.get("x-amz-checksum-type") == _FULL or algorithm == _ALWAYS_FULL
    upload = storage.uploads.create(location, stored_members(headers), algorithm, is_full=is_full)
    result = {"Bucket": location.bucket, "Key": location.key, "UploadId": upload}
    answer = Response(xml.document("InitiateMultipartUploadResult", result), content_type="application/xml")
    if algorithm:
        answer.headers["x-amz-checksum-algorithm"] = algorithm.upper()
        answer.headers["x-amz-checksum-type"] = _FULL if is_full else "COMPOSITE"
    return answer


def part_number(exchange: Exchange) -> int:
    """The number of a part; InvalidArgument if it is none."""
    number = exchange.number("partNumber")
    if number is None or not 1 <= number <= 10_000:
        raise invalid("Part number must be an integer between 1 and 10000, inclusive")
    return number


def upload_part(storage: ObjectStorage, exchange: Exchange, location: S3Location) -> Response:
    upload, number, payload = exchange.args["uploadId"], part_number(exchange), exchange.payload
    copied = copy_source(exchange.headers)
    if copied is not None:
        return _copy_part(storage, exchange, copied, location)
    assert payload is not None
    with storage.catalog.blobs.added_payload(payload) as blob:
        etag = storage.uploads.record_part(upload, location, number, blob, payload.checksums)
    return Response(status=200, headers={"ETag": f'"{etag}"', **payload.checksums})


def _copy_part(storage: ObjectStorage, exchange: Exchange, copied: S3Address, location: S3Location) -> Response:
    headers, upload = exchange.headers, exchange.args["uploadId"]
    source, file = open_copied(storage, copied)
    with file:
        check_copy_source(headers, source)
        start, end = _copied_range(headers, source["size"])
        with storage.catalog.blobs.added(_pieces(file, start, end)) as blob:
            etag = storage.uploads.record_part(upload, location, part_number(exchange), blob, {})
    result = {"LastModified": source["modified"], "ETag": f'"{etag}"'}
    return Response(xml.document("CopyPartResult", result), content_type="application/xml")


def _copied_range(headers: Mapping[str, str], size: int) -> tuple[int, int]:
    """The first byte and the end of what is copied."""
    text = headers.get("x-amz-copy-source-range")
    if text is None:
        return 0, size
    match = _RANGE.fullmatch(text)
    if match is None or int(match[1]) > int(match[2]):
        raise invalid(
            "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the "
            "zero-based offsets of the first and last bytes to copy"
        )
    if int(match[2]) >= size:
        raise invalid(f"Range specified is not valid for source object of size: {size}")
    return int(match[1]), int(match[2]) + 1


def _pieces(file: IO[bytes], start: int, end: int) -> Iterator[bytes]:
    file.seek(start)
    while start < end:
        piece = file.read(min(PIECE, end - start))
        start += len(piece)
        yield piece


def complete_multipart_upload(storage: ObjectStorage, exchange: Exchange, location: S3Location) -> Response:
    upload, headers = exchange.args["uploadId"], exchange.headers
    storage.uploads.get(upload, location)
    condition = write_condition(headers, location.key)
    if condition is not None:
        condition.check_at_start(storage.catalog.find(location))
    try:
        parts = [_listed(part) for part in xml.parse(exchange.body).findall("Part")]
        size = int(headers["x-amz-mp-object-size"]) if "x-amz-mp-object-size" in headers else None
    except ValueError:
        raise invalid("A part's number, or the size of the object, is not a number") from None
    expected = next(
        ((name, headers[header]) for name in checksums.ALGORITHMS for header in _headers(name, headers)), None
    )
    completion = Completion(parts, precondition(headers, location.key), expected, size)
    body = storage.uploads.complete(upload, location, completion)
    result = {"Bucket": location.bucket, "Key": location.key, "ETag": f'"{body["etag"]}"', **_elements(body)}
    return Response(xml.document("CompleteMultipartUploadResult", result), content_type="application/xml")


def _headers(algorithm: str, headers: Mapping[str, str]) -> Iterator[str]:
    """The header of a checksum, if it is there."""
    name = f"{checksums.PREFIX}{algorithm}"
    if name in headers:
        yield name


def _listed(part: Element) -> ListedPart:
    values = {name: part.findtext(f"Checksum{name.upper()}") for name in checksums.ALGORITHMS}
    sent = {f"{checksums.PREFIX}{name}": value for name, value in values.items() if value}
    return ListedPart(int(part.findtext("PartNumber", "")), part.findtext("ETag", ""), sent)


def _elements(body: Mapping[str, Mapping[str, str]]) -> Mapping[str, str]:
    """The checksum of an object as elements of a document."""
    sums = body.get("checksums", {})
    named = {f"Checksum{name.removeprefix(checksums.PREFIX).upper()}": value for name, value in sums.items()}
    return {("ChecksumType" if name == "ChecksumTYPE" else name): value for name, value in named.items()}


def abort_multipart_upload(storage: ObjectStorage, exchange: Exchange, location: S3Location) -> Response:
    storage.uploads.abort(exchange.args["uploadId"], location)
    return Response(status=204)
