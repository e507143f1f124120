"""The tags of objects and buckets: as a header of a write, and by operations of their own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import parse_qsl

from werkzeug import Response

from pedigree.localaws.http.exchange import Exchange
from pedigree.localaws.http.protocol import xml
from pedigree.localaws.http.protocol.s3_errors import S3Error, bad_argument
from pedigree.localaws.kernel.store import Document
from pedigree.localaws.services.s3.catalog import S3Location
from pedigree.localaws.services.s3.storage import ObjectStorage, requested_version, version_headers

_MAX_TAGS, _MAX_BUCKET_TAGS = 10, 50
_MAX_KEY, _MAX_VALUE = 128, 256
_HEADER = "x-amz-tagging"
_ALLOWED = re.compile(r"[\w\s+\-=.:/@]*")
_RESERVED = "aws:"


def of_header(headers: Mapping[str, str]) -> dict[str, str]:
    """The tags in the header of a write."""
    text = headers.get(_HEADER, "")
    pairs = parse_qsl(text, keep_blank_values=True)
    is_readable = all(_ALLOWED.fullmatch(part) for pair in pairs for part in pair)
    if len(dict(pairs)) < len(pairs) or not is_readable:
        words = "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters "
        raise bad_argument(_HEADER, text, f"{words}without tag name duplicates.")
    return _checked(pairs)


def of_copy(headers: Mapping[str, str], source: Document) -> Mapping[str, str]:
    """The tags of a copy: its source's, unless the request replaces them."""
    is_replaced = headers.get("x-amz-tagging-directive") == "REPLACE"
    return of_header(headers) if is_replaced else source.get("tags", {})


def get_object_tagging(storage: ObjectStorage, exchange: Exchange, location: S3Location) -> Response:
    try:
        body = storage.find(location, requested_version(exchange))
    except S3Error as refusal:
        if "Key" in refusal.details:
            refusal.details = {**refusal.details, "Key": f"{location.bucket}/{location.key}"}  # as AWS has it here only
        raise
    listed = [{"Key": name, "Value": value} for name, value in sorted(body.get("tags", {}).items())]
    content = xml.document("Tagging", {"TagSet": {"Tag": listed}})
    return Response(content, headers=_headers(storage, location, body), content_type="application/xml")


def put_object_tagging(storage: ObjectStorage, exchange: Exchange, location: S3Location) -> Response:
    elements = xml.parse(exchange.body).iter("Tag")
    tags = _checked((tag.findtext("Key", ""), tag.findtext("Value", "")) for tag in elements)
    body = _set(storage, exchange, location, tags)
    storage.publish_event(exchange, "ObjectTagging:Put", location, body)
    return Response(status=200, headers=_headers(storage, location, body))


def delete_object_tagging(storage: ObjectStorage, exchange: Exchange, location: S3Location) -> Response:
    body = _set(storage, exchange, location, {})
    storage.publish_event(exchange, "ObjectTagging:Delete", location, body)
    return Response(status=204, headers=_headers(storage, location, body))


def check_bucket_tags(pairs: Iterable[tuple[str, str]]) -> None:
    """InvalidTag for what S3 does not take as a bucket's tags."""
    listed = list(pairs)
    if any(name.startswith(_RESERVED) for name, _ in listed):
        raise _invalid("System tags cannot be added/updated by requester")
    _checked(listed, _MAX_BUCKET_TAGS)


def _set(storage: ObjectStorage, exchange: Exchange, location: S3Location, tags: Mapping[str, str]) -> Document:
    version = requested_version(exchange)
    storage.find(location, version, exchange.method)
    try:
        return storage.catalog.update(location, lambda body: {**body, "tags": dict(tags)}, version)
    except KeyError:
        raise storage.missing(location) from None


def _headers(storage: ObjectStorage, location: S3Location, body: Document) -> dict[str, str]:
    return version_headers(storage.bucket(location.bucket), body)


def _checked(pairs: Iterable[tuple[str, str]], most: int = _MAX_TAGS) -> dict[str, str]:
    """The tags as a dictionary; InvalidTag for what S3 does not take."""
    tags: dict[str, str] = {}
    for name, value in pairs:
        if name in tags:
            raise _invalid("Cannot provide multiple Tags with the same key", TagKey=name)
        _check_tag(name, value)
        tags[name] = value
    if len(tags) > most:
        raise S3Error("BadRequest", f"Object tags cannot be greater than {most}", 400)
    return tags


def _check_tag(name: str, value: str) -> None:
    if name.startswith(_RESERVED):
        raise _invalid("Your TagKey cannot be prefixed with aws:", TagKey=name)
    if not 1 <= len(name) <= _MAX_KEY or not _ALLOWED.fullmatch(name):
        raise _invalid("The TagKey you have provided is invalid", TagKey=name)
    if len(value) > _MAX_VALUE or not _ALLOWED.fullmatch(value):
        raise _invalid("The TagValue you have provided is invalid", TagKey=name, TagValue=value)


def _invalid(message: str, **details: str) -> S3Error:
    return S3Error("InvalidTag", message, 400, **details)
