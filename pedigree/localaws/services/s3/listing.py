"""Lists buckets, objects and versions, page by page."""

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

_MAX_KEYS = 1000
_OWNER = {"ID": "local", "DisplayName": "local"}


def list_buckets(store: Store) -> Response:
    """List the buckets of the account."""
    buckets = [{"Name": entry.name, "CreationDate": entry.body["created"]} for entry in store.entries(BUCKET)]
    return _response("ListAllMyBucketsResult", {"Owner": _OWNER, "Buckets": {"Bucket": buckets}})


def list_objects(catalog: ObjectCatalog, exchange: Exchange, location: S3Location) -> Response:
    """List the objects of a bucket; keys with the same part before a delimiter are one common prefix."""
    prefix, delimiter = exchange.args.get("prefix", ""), exchange.args.get("delimiter", "")
    max_keys = _max_keys(exchange)
    start = _start(exchange)
    encode = quote if exchange.args.get("encoding-type") == "url" else str
    entries = [(key, body) for key, body in _entries(catalog, location, prefix, delimiter) if key > start]
    page, rest = entries[:max_keys], entries[max_keys:]
    contents = [{"Key": encode(key), **_summary(body)} for key, body in page if body is not None]
    result: dict[str, Any] = {
        "Name": location.bucket,
        "Prefix": encode(prefix),
        "Delimiter": encode(delimiter) if delimiter else None,
        "MaxKeys": max_keys,
        "KeyCount": len(page),
        "EncodingType": exchange.args.get("encoding-type"),
        "IsTruncated": bool(rest),
        "Contents": contents,
        "CommonPrefixes": [{"Prefix": encode(key)} for key, body in page if body is None],
    }
    if rest and page:
        last = page[-1][0]
        result["NextContinuationToken"] = base64.urlsafe_b64encode(last.encode()).decode()
        result["NextMarker"] = encode(last)
    return _response("ListBucketResult", result)


def list_versions(catalog: ObjectCatalog, exchange: Exchange, location: S3Location) -> Response:
    """List the current and earlier versions of a bucket's objects."""
    prefix = exchange.args.get("prefix", "")
    current = [(key, body, True) for key, body in catalog.list_prefix(S3Location(location.bucket, prefix))]
    earlier = [(key, body, False) for key, body in catalog.versions(location.bucket, prefix)]
    versions = [
        {"Key": key, "VersionId": "null" if latest else str(body["number"]), "IsLatest": latest, **_summary(body)}
        for key, body, latest in sorted((*current, *earlier), key=lambda version: (version[0], -version[1]["number"]))
    ]
    result = {
        "Name": location.bucket,
        "Prefix": prefix,
        "MaxKeys": len(versions),
        "IsTruncated": False,
        "Version": versions,
    }
    return _response("ListVersionsResult", result)


def _max_keys(exchange: Exchange) -> int:
    """How many keys a page has at most; InvalidArgument for what is no such number."""
    number = exchange.number("max-keys", None if "max-keys" in exchange.args else _MAX_KEYS)
    if number is None or not 0 <= number < 1 << 31:
        raise invalid("Argument maxKeys must be an integer between 0 and 2147483647")
    return min(number, _MAX_KEYS)


def _entries(
    catalog: ObjectCatalog, location: S3Location, prefix: str, delimiter: str
) -> Iterator[tuple[str, Document | None]]:
    last = ""
    for key, body in catalog.list_prefix(S3Location(location.bucket, prefix)):
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


def _response(root: str, result: dict[str, Any]) -> Response:
    return Response(xml.document(root, result), content_type="application/xml")
