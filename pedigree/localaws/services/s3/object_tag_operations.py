"""The tags of objects: as a header of a write, and by operations of their own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from urllib.parse import parse_qsl

from werkzeug import Response

from pedigree.localaws.http.exchange import Exchange
from pedigree.localaws.http.protocol import xml
from pedigree.localaws.http.protocol.s3_errors import S3Error, no_key
from pedigree.localaws.kernel.store import Document
from pedigree.localaws.services.s3.catalog import S3Location
from pedigree.localaws.services.s3.storage import ObjectStorage

_MAX_TAGS = 10
_MAX_KEY, _MAX_VALUE = 128, 256


def of_header(headers: Mapping[str, str]) -> dict[str, str]:
    """The tags in the header of a write."""
    return _checked(parse_qsl(headers.get("x-amz-tagging", ""), keep_blank_values=True))


def of_copy(headers: Mapping[str, str], source: Document) -> Mapping[str, str]:
    """The tags of a copy: its source's, unless the request replaces them."""
    is_replaced = headers.get("x-amz-tagging-directive") == "REPLACE"
    return of_header(headers) if is_replaced else source.get("tags", {})


def get_object_tagging(storage: ObjectStorage, _exchange: Exchange, location: S3Location) -> Response:
    tags = storage.find(location).get("tags", {})
    listed = [{"Key": name, "Value": value} for name, value in tags.items()]
    return Response(xml.document("Tagging", {"TagSet": {"Tag": listed}}), content_type="application/xml")


def put_object_tagging(storage: ObjectStorage, exchange: Exchange, location: S3Location) -> Response:
    elements = xml.parse(exchange.body).iter("Tag")
    _set(storage, location, _checked((tag.findtext("Key", ""), tag.findtext("Value", "")) for tag in elements))
    return Response(status=200)


def delete_object_tagging(storage: ObjectStorage, _exchange: Exchange, location: S3Location) -> Response:
    _set(storage, location, {})
    return Response(status=204)


def _set(storage: ObjectStorage, location: S3Location, tags: Mapping[str, str]) -> None:
    try:
        storage.catalog.update(location, lambda body: {**body, "tags": dict(tags)})
    except KeyError:
        raise no_key(location.key) from None


def _checked(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The tags as a dictionary; InvalidTag for what S3 does not take."""
    listed = list(pairs)
    tags = dict(listed)
    if len(tags) < len(listed):
        raise _invalid("Cannot provide multiple Tags with the same key")
    if len(tags) > _MAX_TAGS:
        raise S3Error("BadRequest", f"Object tags cannot be greater than {_MAX_TAGS}", 400)
    if any(not 1 <= len(name) <= _MAX_KEY for name in tags):
        raise _invalid("The TagKey you have provided is invalid")
    if any(len(value) > _MAX_VALUE for value in tags.values()):
        raise _invalid("The TagValue you have provided is invalid")
    return tags


def _invalid(message: str) -> S3Error:
    return S3Error("InvalidTag", message, 400)
