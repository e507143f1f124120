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
from pedigree.localaws.http.protocol.s3_errors import bad_argument, bad_request, malformed
from pedigree.localaws.kernel.store import Document
from pedigree.localaws.services.s3 import encryption, object_checksums
from pedigree.localaws.services.s3.blob_store import PIECE
from pedigree.localaws.services.s3.catalog import S3Location
from pedigree.localaws.services.s3.conditions import no_upload_condition, write_condition
from pedigree.localaws.services.s3.copy_operations import open_copied, source_headers
from pedigree.localaws.services.s3.form_answers import object_url
from pedigree.localaws.services.s3.listing_pages import times
from pedigree.localaws.services.s3.new_object import new_members
from pedigree.localaws.services.s3.storage import ObjectStorage, written_version_headers
from pedigree.localaws.services.s3.upload_checksums import Completion, ListedPart

_RANGE = re.compile(r"bytes=(\d+)-(\d+)")
_MOST_PARTS = 10_000
_COPY_RANGE = "x-amz-copy-source-range"


def create_multipart_upload(storage: ObjectStorage, exchange: Exchange, location: S3Location) -> Response:
    headers = exchange.headers
    algorithm = object_checksums.requested(headers)
    kind = object_checksums.upload_type(headers, algorithm)
    members = new_members(storage, exchange, location)
    caller = exchange.caller.arn if exchange.caller else ""
    upload = storage.uploads.create(location, members, algorithm, kind, caller=caller)
    result = {"Bucket": location.bucket, "Key": location.key, "UploadId": upload}
    answer = Response(xml.document("InitiateMultipartUploadResult", result), content_type="application/xml")
    answer.headers.extend(encryption.answer_headers(members))
    if algorithm:
        answer.headers["x-amz-checksum-algorithm"] = algorithm.upper()
        answer.headers["x-amz-checksum-type"] = kind
    return answer


def part_number(exchange: Exchange) -> int:
    """The number of a part; InvalidArgument if it is none."""
    number = exchange.number("partNumber")
    if number is None or not 1 <= number <= _MOST_PARTS:
        words = "Part number must be an integer between 1 and 10000, inclusive"
        raise bad_argument("partNumber", exchange.args.get("partNumber", ""), words)
    return number


def check_part(exchange: Exchange, upload: Document) -> None:
    """Refuse a part by its head: it needs its upload's key, and may have no other checksum than its upload."""
    encryption.check_part(exchange.headers, upload)
    wanted, sent = str(upload.get("algorithm", "")), _sent_algorithm(exchange.headers)
    if wanted and sent and sent != wanted:
        raise bad_request(
            f"Checksum Type mismatch occurred, expected checksum Type: {wanted}, actual checksum Type: {sent}"
        )


def _sent_algorithm(headers: Mapping[str, str]) -> str:
    trailing = headers.get("x-amz-trailer", "").strip().lower().removeprefix(checksums.PREFIX)
    return next(iter(object_checksums.names_in(headers)), trailing)


def upload_part(storage: ObjectStorage, exchange: Exchange, location: S3Location) -> Response:
    upload, number, payload = exchange.args["uploadId"], part_number(exchange), exchange.payload
    copied = copy_source(exchange.headers)
    if copied is not None:
        return _copy_part(storage, exchange, copied, location)
    assert payload is not None
    started = storage.uploads.get(upload, location)
    with storage.catalog.blobs.added_payload(payload) as blob:
        part = storage.uploads.record_part(upload, location, number, blob, payload.checksums)
    # S3 names the checksum of a part that its client has sent, or that its upload asks for.
    sent = payload.checksums if _sent_algorithm(exchange.headers) else {}
    headers = {"ETag": f'"{part["etag"]}"', **sent, **encryption.answer_headers(started["members"])}
    return Response(status=200, headers=headers)


def _copy_part(storage: ObjectStorage, exchange: Exchange, copied: S3Address, location: S3Location) -> Response:
    headers, upload = exchange.headers, exchange.args["uploadId"]
    started = storage.uploads.get(upload, location)
    algorithm = str(started.get("algorithm", ""))
    digest = checksums.ALGORITHMS[algorithm]() if algorithm else None
    source, file = open_copied(storage, exchange, copied)
    with file:
        start, end = _copied_range(headers, source["size"])
        with storage.catalog.blobs.added(_pieces(file, start, end, digest)) as blob:
            found = {object_checksums.header(algorithm): checksums.encoded(digest)} if digest else {}
            part = storage.uploads.record_part(upload, location, part_number(exchange), blob, found)
    result = {
        "LastModified": times(part["modified"]),
        "ETag": f'"{part["etag"]}"',
        **object_checksums.part_elements(part, algorithm),
    }
    answered = {**encryption.answer_headers(started["members"]), **source_headers(storage, copied, source)}
    return Response(xml.document("CopyPartResult", result), headers=answered, content_type="application/xml")


def _copied_range(headers: Mapping[str, str], size: int) -> tuple[int, int]:
    """The first byte and the end of what is copied."""
    text = headers.get(_COPY_RANGE)
    if text is None:
        return 0, size
    match = _RANGE.fullmatch(text)
    if match is None or int(match[1]) > int(match[2]):
        words = "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the "
        raise bad_argument(_COPY_RANGE, text, f"{words}zero-based offsets of the first and last bytes to copy")
    if int(match[1]) >= size:
        raise bad_request("The specified copy range is invalid for the source object size")
    if int(match[2]) >= size:
        raise bad_argument(_COPY_RANGE, text, f"Range specified is not valid for source object of size: {size}")
    return int(match[1]), int(match[2]) + 1


def _pieces(file: IO[bytes], start: int, end: int, digest: checksums.Digest | None) -> Iterator[bytes]:
    file.seek(start)
    while start < end:
        piece = file.read(min(PIECE, end - start))
        start += len(piece)
        if digest is not None:
            digest.update(piece)
        yield piece


def complete_multipart_upload(storage: ObjectStorage, exchange: Exchange, location: S3Location) -> Response:
    upload = exchange.args["uploadId"]
    started = storage.uploads.get(upload, location)
    condition = write_condition(exchange.headers, location.key)
    if condition is not None:
        condition.check_upload(storage.catalog.find(location), started.get("before", 0))
    body = storage.uploads.complete(upload, location, _completion(exchange, location))
    storage.publish_event(exchange, "ObjectCreated:CompleteMultipartUpload", location, body)
    result = {
        "Location": object_url(exchange, location),
        "Bucket": location.bucket,
        "Key": location.key,
        "ETag": f'"{body["etag"]}"',
        **({} if encryption.is_customers(body) else object_checksums.elements(body)),
    }
    headers = {} if encryption.is_customers(body) else encryption.answer_headers(body)
    headers |= written_version_headers(storage.bucket(location.bucket), body)
    content = xml.document("CompleteMultipartUploadResult", result)
    return Response(content, headers=headers, content_type="application/xml")


def _completion(exchange: Exchange, location: S3Location) -> Completion:
    headers = exchange.headers
    condition = write_condition(headers, location.key)
    try:
        root = xml.parse(exchange.body) if exchange.body else Element("CompleteMultipartUpload")
        parts = [_listed(part) for part in root.findall("Part")]
        size = int(headers["x-amz-mp-object-size"]) if "x-amz-mp-object-size" in headers else None
    except ValueError:
        raise malformed() from None
    names = object_checksums.names_in(headers)
    expected = (names[0], headers[object_checksums.header(names[0])]) if names else None
    check = condition.check_upload if condition else no_upload_condition
    return Completion(parts, check, expected, size, headers.get(object_checksums.TYPE, "").upper())


def _listed(part: Element) -> ListedPart:
    values = {name: part.findtext(f"Checksum{name.upper()}") for name in checksums.ALGORITHMS}
    sent = {object_checksums.header(name): value for name, value in values.items() if value}
    return ListedPart(int(part.findtext("PartNumber", "")), part.findtext("ETag", ""), sent)


def abort_multipart_upload(storage: ObjectStorage, exchange: Exchange, location: S3Location) -> Response:
    storage.uploads.abort(exchange.args["uploadId"], location)
    return Response(status=204)
