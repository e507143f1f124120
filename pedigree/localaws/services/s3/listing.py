"""Lists of buckets, objects and versions, page by page."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from werkzeug import Response

from pedigree.localaws.http.exchange import Exchange
from pedigree.localaws.http.protocol import xml
from pedigree.localaws.http.protocol.s3_errors import invalid
from pedigree.localaws.kernel.store import Document, Store
from pedigree.localaws.services.s3.catalog import BUCKET, ObjectCatalog, S3Location

_MOST = 1000
_OWNER = {"ID": "local", "DisplayName": "local"}


def list_buckets(store: Store) -> Response:
    """All buckets."""
    buckets = [{"Name": one.name, "CreationDate": one.body["created"]} for one in store.entries(BUCKET)]
    return _answer("ListAllMyBucketsResult", {"Owner": _OWNER, "Buckets": {"Bucket": buckets}})


def list_objects(catalog: ObjectCatalog, exchange: Exchange, place: S3Location) -> Response:
    """The objects of a bucket, those below a delimiter as one prefix."""
    prefix, delimiter = exchange.args.get("prefix", ""), exchange.args.get("delimiter", "")
    most = exchange.number("max-keys", _MOST)
    start = _start(exchange)
    encode = quote if exchange.args.get("encoding-type") == "url" else str
    found = [one for one in _entries(catalog, place, prefix, delimiter) if one[0] > start]
    page, rest = found[:most], found[most:]
    contents = [{"Key": encode(key), **_summary(body)} for key, body in page if body is not None]
    told: dict[str, Any] = {
        "Name": place.bucket,
        "Prefix": encode(prefix),
        "Delimiter": encode(delimiter) if delimiter else None,
        "MaxKeys": most,
        "KeyCount": len(page),
        "EncodingType": exchange.args.get("encoding-type"),
        "IsTruncated": bool(rest),
        "Contents": contents,
        "CommonPrefixes": [{"Prefix": encode(key)} for key, body in page if body is None],
    }
    if rest and page:
        last = page[-1][0]
        told["NextContinuationToken"] = base64.urlsafe_b64encode(last.encode()).decode()
        told["NextMarker"] = encode(last)
    return _answer("ListBucketResult", told)


def list_versions(catalog: ObjectCatalog, exchange: Exchange, place: S3Location) -> Response:
    """The objects of a bucket and what they were before."""
    prefix = exchange.args.get("prefix", "")
    current = [(key, body, True) for key, body in catalog.under(S3Location(place.bucket, prefix))]
    before = [(key, body, False) for key, body in catalog.versions(place.bucket, prefix)]
    versions = [
        {"Key": key, "VersionId": "null" if latest else str(body["number"]), "IsLatest": latest, **_summary(body)}
        for key, body, latest in sorted((*current, *before), key=lambda one: (one[0], -one[1]["number"]))
    ]
    told = {"Name": place.bucket, "Prefix": prefix, "MaxKeys": len(versions), "IsTruncated": False, "Version": versions}
    return _answer("ListVersionsResult", told)


def _entries(
    catalog: ObjectCatalog, place: S3Location, prefix: str, delimiter: str
) -> Iterator[tuple[str, Document | None]]:
    last = ""
    for key, body in catalog.under(S3Location(place.bucket, prefix)):
        end = key.find(delimiter, len(prefix)) if delimiter else -1
        if end < 0:
            yield key, body
        elif key[: end + len(delimiter)] != last:
            last = key[: end + len(delimiter)]
            yield last, None


def _start(exchange: Exchange) -> str:
    token = exchange.args.get("continuation-token")
    if token is None:
        return exchange.args.get("start-after") or exchange.args.get("marker") or ""
    try:
        return base64.b64decode(token, altchars=b"-_", validate=True).decode()
    except ValueError:
        raise invalid("The continuation token provided is incorrect") from None


def _summary(body: Document) -> dict[str, Any]:
    return {
        "LastModified": body["modified"].replace("+00:00", "Z"),
        "ETag": f'"{body["etag"]}"',
        "Size": body["size"],
        "StorageClass": "STANDARD",
    }


def _answer(root: str, told: dict[str, Any]) -> Response:
    return Response(xml.document(root, told), content_type="application/xml")
