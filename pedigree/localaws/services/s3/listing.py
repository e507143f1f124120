"""Lists buckets, objects and versions, page by page."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

from werkzeug import Response

from pedigree.localaws.http.exchange import Exchange
from pedigree.localaws.http.protocol import xml
from pedigree.localaws.http.protocol.s3_errors import bad_argument, invalid
from pedigree.localaws.kernel.store import Document
from pedigree.localaws.services.s3 import object_checksums
from pedigree.localaws.services.s3.catalog import BUCKET, S3Location
from pedigree.localaws.services.s3.listing_pages import encoder, page_size, times
from pedigree.localaws.services.s3.object_headers import storage_class
from pedigree.localaws.services.s3.storage import ObjectStorage
from pedigree.localaws.services.s3.version_history import NULL, is_delete_marker, is_version_id, place_of, version_id

_MOST_BUCKETS = 10_000
Versions: TypeAlias = Iterable[tuple[str, Document, bool]]


def list_buckets(storage: ObjectStorage, exchange: Exchange, _location: S3Location) -> Response:
    """List the buckets of the account."""
    args = exchange.args
    prefix, region = args.get("prefix", ""), args.get("bucket-region", "")
    start = _token(args.get("continuation-token") or "")
    found = [
        (entry.name, entry.body)
        for entry in sorted(storage.store.entries(BUCKET, prefix), key=lambda entry: entry.name)
        if entry.name > start and (not region or region == entry.body.get("region", exchange.region))
    ]
    most = exchange.number("max-buckets") or _MOST_BUCKETS
    page = found[:most]
    is_paged = any(word in args for word in ("max-buckets", "prefix", "bucket-region", "continuation-token"))
    result = {
        "Owner": {"ID": storage.owner},
        "Buckets": {"Bucket": [_bucket(name, body, exchange.region, is_paged=is_paged) for name, body in page]},
        "Prefix": prefix if "prefix" in args else None,
        "ContinuationToken": _new_token(page[-1][0]) if len(found) > most else None,
    }
    return _response("ListAllMyBucketsResult", result)


def _bucket(name: str, body: Document, region: str, *, is_paged: bool) -> dict[str, Any]:
    named = {"Name": name, "CreationDate": times(body["created"])}
    if not is_paged:
        return {**named, "BucketArn": f"arn:aws:s3:::{name}"}
    return {**named, "BucketRegion": body.get("region", region), "BucketArn": f"arn:aws:s3:::{name}"}


def list_objects(storage: ObjectStorage, exchange: Exchange, location: S3Location) -> Response:
    """List the objects of a bucket; keys with the same part before a delimiter are one common prefix."""
    args, encode = exchange.args, encoder(exchange)
    prefix, delimiter = args.get("prefix", ""), args.get("delimiter", "")
    is_second = args.get("list-type") == "2"
    most, start = page_size(exchange, "max-keys"), _start(exchange, is_second=is_second)
    found = ((key, body) for key, body in storage.catalog.list_prefix(S3Location(location.bucket, prefix)))
    entries = [(key, body) for key, body in _grouped(found, prefix, delimiter) if key > start]
    page, is_truncated = entries[:most], len(entries) > most > 0
    last = page[-1][0] if page else ""
    result: dict[str, Any] = {
        "Name": location.bucket,
        "Prefix": encode(prefix),
        "Delimiter": encode(delimiter) if delimiter else None,
        "MaxKeys": most,
        "EncodingType": args.get("encoding-type"),
        "IsTruncated": is_truncated,
        **(_second_version(exchange, page, last if is_truncated else "") if is_second else {}),
        **({} if is_second else _first_version(exchange, last if is_truncated and delimiter else "")),
        "Contents": [_content(storage, exchange, encode(key), body) for key, body in page if body is not None],
        "CommonPrefixes": [{"Prefix": encode(key)} for key, body in page if body is None],
    }
    answer = _response("ListBucketResult", result)
    answer.headers["x-amz-bucket-region"] = str(storage.bucket(location.bucket).get("region", exchange.region))
    return answer


def _first_version(exchange: Exchange, last: str) -> dict[str, Any]:
    encode = encoder(exchange)
    return {"Marker": encode(exchange.args.get("marker", "")), "NextMarker": encode(last) if last else None}


def _second_version(exchange: Exchange, page: list[Any], last: str) -> dict[str, Any]:
    args, encode = exchange.args, encoder(exchange)
    after = None if "continuation-token" in args else args.get("start-after")
    return {
        "KeyCount": len(page),
        "ContinuationToken": args.get("continuation-token"),
        "NextContinuationToken": _new_token(last) if last else None,
        "StartAfter": encode(after) if after else None,
    }


def _content(storage: ObjectStorage, exchange: Exchange, key: str, body: Document) -> dict[str, Any]:
    has_owner = exchange.args.get("list-type") != "2" or exchange.args.get("fetch-owner") == "true"
    owner = {"Owner": {"ID": storage.owner}} if has_owner else {}
    return {"Key": key, **_summary(body), **owner}


def list_versions(storage: ObjectStorage, exchange: Exchange, location: S3Location) -> Response:
    """List the current and earlier versions of a bucket's objects, and delete markers."""
    args, encode = exchange.args, encoder(exchange)
    prefix, delimiter = args.get("prefix", ""), args.get("delimiter", "")
    key_marker, id_marker = args.get("key-marker", ""), args.get("version-id-marker", "")
    if id_marker and not key_marker:
        words = "A version-id marker cannot be specified without a key marker."
        raise bad_argument("version-id-marker", id_marker, words)
    if id_marker and not is_version_id(id_marker):
        raise bad_argument("version-id-marker", id_marker, "Invalid version id specified")
    most = page_size(exchange, "max-keys")
    versions = _after(storage.catalog.versions(location.bucket, prefix), key_marker, id_marker)
    entries = [entry for entry in _grouped(_keyed(versions), prefix, delimiter) if entry[1] or entry[0] > key_marker]
    page, is_truncated = entries[:most], len(entries) > most > 0
    listed = [(encode(key), *version) for key, version in page if version is not None]
    last_key, last = page[-1] if page else ("", None)
    result: dict[str, Any] = {
        "Name": location.bucket,
        "Prefix": encode(prefix),
        "KeyMarker": encode(key_marker),
        "VersionIdMarker": id_marker,
        "NextKeyMarker": encode(last_key) if is_truncated else None,
        "NextVersionIdMarker": version_id(last[0]) if is_truncated and last else None,
        "Delimiter": encode(delimiter) if delimiter else None,
        "MaxKeys": most,
        "EncodingType": args.get("encoding-type"),
        "IsTruncated": is_truncated,
        "Version": [_version(storage, *each) for each in listed if not is_delete_marker(each[1])],
        "DeleteMarker": [_version(storage, *each) for each in listed if is_delete_marker(each[1])],
        "CommonPrefixes": [{"Prefix": encode(key)} for key, version in page if version is None],
    }
    return _response("ListVersionsResult", result)


def _version(storage: ObjectStorage, key: str, body: Document, is_latest: bool) -> dict[str, Any]:
    written = {"LastModified": times(body["modified"])} if is_delete_marker(body) else _summary(body)
    named = {"Key": key, "VersionId": version_id(body), "IsLatest": is_latest}
    return {**named, **written, "Owner": {"ID": storage.owner}}


def _after(versions: Versions, key_marker: str, id_marker: str) -> Iterator[tuple[str, Document, bool]]:
    """The versions after a marker: those of its key as well, if they are older than the marked one."""
    is_after = False
    place = place_of(id_marker) if id_marker not in ("", NULL) else 0
    for key, body, is_latest in versions:
        if key > key_marker or (key == key_marker and (is_after or body["number"] < place)):
            yield key, body, is_latest
        is_after = is_after or (id_marker == NULL and key == key_marker and version_id(body) == NULL)


def _keyed(versions: Versions) -> Iterator[tuple[str, tuple[Document, bool]]]:
    for key, body, is_latest in versions:
        yield key, (body, is_latest)


def _grouped(entries: Iterable[tuple[str, Any]], prefix: str, delimiter: str) -> Iterator[tuple[str, Any]]:
    """Entries by key; those with the same part of the key before a delimiter are one prefix, with None."""
    last = ""
    for key, body in entries:
        end = key.find(delimiter, len(prefix)) if delimiter else -1
        if end < 0:
            yield key, body
        elif key[: end + len(delimiter)] != last:
            last = key[: end + len(delimiter)]
            yield last, None


def _start(exchange: Exchange, *, is_second: bool) -> str:
    if not is_second:
        return exchange.args.get("marker") or ""
    token = exchange.args.get("continuation-token")
    if token is None:
        return exchange.args.get("start-after") or ""
    if not token:
        raise invalid("The continuation token provided is incorrect", ArgumentName="continuation-token")
    return _token(token)


def _token(text: str) -> str:
    """The key that a page ended with, by the token that named it."""
    try:
        return base64.b64decode(text, altchars=b"-_", validate=True).decode()
    except ValueError:
        raise bad_argument("continuation-token", text, "The continuation token provided is incorrect") from None


def _new_token(key: str) -> str:
    return base64.urlsafe_b64encode(key.encode()).decode()


def _summary(body: Document) -> dict[str, Any]:
    return {
        "LastModified": times(body["modified"]),
        "ETag": f'"{body["etag"]}"',
        **object_checksums.listed(body),
        "Size": body["size"],
        "StorageClass": storage_class(body),
    }


def _response(root: str, result: dict[str, Any]) -> Response:
    return Response(xml.document(root, result), content_type="application/xml")
