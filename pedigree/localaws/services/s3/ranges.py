"""Which bytes of an object a read is about: a range, one part of an upload in parts, or all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from werkzeug.datastructures import Range
from werkzeug.http import parse_range_header

from pedigree.localaws.http.exchange import Exchange
from pedigree.localaws.http.protocol.s3_errors import S3Error, bad_argument, bad_request
from pedigree.localaws.kernel.store import Document
from pedigree.localaws.services.s3 import object_checksums

_OK, _PARTIAL = 200, 206
_MOST_PARTS = 10_000
_NOTHING = "bytes=-0"


@dataclass(frozen=True)
class Section:
    """The first byte and the end of what is read, and how it is answered."""

    start: int
    end: int
    status: int = _OK
    headers: Mapping[str, str] = field(default_factory=dict)


def requested_range(exchange: Exchange, body: Document) -> Section:
    """What a request asks to be read of an object."""
    text, number = exchange.headers.get("range"), exchange.args.get("partNumber")
    if text and number is not None:
        raise bad_request("Cannot specify both Range header and partNumber query parameter")
    if number is not None:
        return _part(number, body)
    size = int(body["size"])
    requested = parse_range_header(text)
    if text == _NOTHING:
        raise _unsatisfiable(text, size)
    if requested is None or requested.units != "bytes" or len(requested.ranges) > 1:
        return Section(0, size)
    bounds = _bounds(requested, size)
    if bounds is None:
        raise _unsatisfiable(text or "", size)
    return _partial(*bounds, size)


def _unsatisfiable(text: str, size: int) -> S3Error:
    message = "The requested range is not satisfiable"
    return S3Error("InvalidRange", message, 416, RangeRequested=text, ActualObjectSize=str(size))


def _bounds(requested: Range, size: int) -> tuple[int, int] | None:
    """The bytes of a range; the last ones of a content that has fewer are all of them."""
    start, _ = requested.ranges[0]
    if start < 0 < size:
        return max(size + start, 0), size
    return requested.range_for_length(size)


def _part(text: str, body: Document) -> Section:
    if not text.isdecimal() or not 1 <= int(text) <= _MOST_PARTS:
        raise bad_argument("partNumber", text, "Part number must be an integer between 1 and 10000, inclusive")
    sizes = [int(part["size"]) for part in body.get("parts", ())]
    number = int(text)
    if number > max(len(sizes), 1):
        message = "The requested partnumber is not satisfiable"
        most = str(max(len(sizes), 1))
        raise S3Error("InvalidPartNumber", message, 416, PartNumberRequested=text, ActualPartCount=most)
    if not sizes:
        return _partial(0, int(body["size"]), int(body["size"]))
    start = sum(sizes[: number - 1])
    more = {"x-amz-mp-parts-count": str(len(sizes)), **_checksums(body, number)}
    return _partial(start, start + sizes[number - 1], int(body["size"]), more)


def _checksums(body: Document, number: int) -> Mapping[str, str]:
    """The checksum of a part, where the object's is made of those of its parts."""
    if object_checksums.type_of(body) != object_checksums.COMPOSITE:
        return {}
    own: Mapping[str, str] = body["parts"][number - 1].get("checksums", {})
    return {**own, object_checksums.TYPE: object_checksums.COMPOSITE}


def _partial(start: int, end: int, size: int, more: Mapping[str, str] | None = None) -> Section:
    return Section(start, end, _PARTIAL, {"Content-Range": f"bytes {start}-{end - 1}/{size}", **(more or {})})
