"""S3 over HTTP: a request becomes a call of the catalog, its outcome an answer in S3's form.

What a request asks for is known by its method, by whether it names a bucket or an object, and by the one word in its
query that S3 calls a sub-resource. Configuration of a bucket (encryption, policy, lifecycle, …) is kept as it comes and
given back as it was.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from email.utils import format_datetime
from typing import Any, TypeAlias
from urllib.parse import unquote

from werkzeug import Response
from werkzeug.http import parse_etags, parse_range_header
from werkzeug.wsgi import FileWrapper

from pedigree.localaws.http.exchange import Exchange
from pedigree.localaws.http.protocol import xml
from pedigree.localaws.http.protocol.s3_errors import ObjectsError, invalid, no_bucket, no_key, unsupported
from pedigree.localaws.kernel.store import Document, Store
from pedigree.localaws.services.s3 import bucket_configuration, request_body
from pedigree.localaws.services.s3.catalog import BUCKET, NoSuchBucketError, ObjectCatalog, S3Location
from pedigree.localaws.services.s3.listing import list_buckets, list_objects, list_versions
from pedigree.localaws.services.s3.multipart import MultipartUploads

Answer: TypeAlias = Callable[["ObjectsApi", Exchange, S3Location], Response]
_KEPT_HEADERS = ("content-type", "cache-control", "content-disposition", "content-language")
_META = "x-amz-meta-"
_MOST_DELETED = 1000
# Words in a query that only say more about what is asked for, and do not ask for something else.
_PLAIN = frozenset(
    {"prefix", "delimiter", "max-keys", "marker", "encoding-type", "x-id", "response-content-type", "partNumber"}
)


class ObjectsApi:
    """The service."""

    def __init__(self, store: Store, catalog: ObjectCatalog) -> None:
        self.store = store
        self.catalog = catalog
        self.uploads = MultipartUploads(store, catalog)

    def supports(self, _operation: str) -> bool:
        """Requests of S3 name no operation: each is asked for what it can do when it comes."""
        return False

    def __call__(self, exchange: Exchange) -> Response:
        """The answer to a request."""
        bucket, _, key = exchange.path.lstrip("/").partition("/")
        place = S3Location(bucket, key)
        try:
            return self._handler(exchange, place)(self, exchange, place)
        except NoSuchBucketError:
            raise no_bucket(bucket) from None

    def _handler(self, exchange: Exchange, place: S3Location) -> Answer:
        level = "object" if place.key else "bucket" if place.bucket else "service"
        if level != "service" and not (level == "bucket" and exchange.method == "PUT" and not exchange.args):
            self.catalog.bucket(place.bucket)
        named = next((word for word in exchange.args if (exchange.method, level, word) in _ANSWERS), "")
        handler = _ANSWERS.get((exchange.method, level, named))
        if level == "bucket" and not named:
            handler = bucket_configuration.handler(exchange, self.store) or handler
        if handler is None or not (
            named or _PLAIN.issuperset(exchange.args) or set(exchange.args) & set(bucket_configuration.KINDS)
        ):
            asked = f"{exchange.method} of {'an' if level == 'object' else 'a'} {level}"
            words = " ".join(sorted(set(exchange.args) - _PLAIN))
            raise unsupported(f"{asked}{f' with {words}' if words else ''}")
        return handler


def _make_bucket(api: ObjectsApi, exchange: Exchange, place: S3Location) -> Response:
    text = exchange.body
    tags = xml.parse(text).find("Tags") if text else None
    with api.store.transaction():
        if not api.catalog.make_bucket(place.bucket):
            told = "Your previous request to create the named bucket succeeded and you already own it."
            raise ObjectsError("BucketAlreadyOwnedByYou", told, 409)
        if tags is not None:
            bucket_configuration.put_initial_tags(api.store, place.bucket, tags)
    return Response(status=200, headers={"Location": f"/{place.bucket}"})


def _remove_bucket(api: ObjectsApi, _exchange: Exchange, place: S3Location) -> Response:
    objects, versions = api.catalog.list_prefix(S3Location(place.bucket, "")), api.catalog.versions(place.bucket)
    if next(objects, None) or next(versions, None):
        raise ObjectsError("BucketNotEmpty", "The bucket you tried to delete is not empty", 409)
    api.store.remove(BUCKET, place.bucket)
    bucket_configuration.remove_all(api.store, place.bucket)
    return Response(status=204)


def _head_bucket(_api: ObjectsApi, _exchange: Exchange, _place: S3Location) -> Response:
    return Response(status=200)


def _location(_api: ObjectsApi, _exchange: Exchange, _place: S3Location) -> Response:
    return Response(xml.document("LocationConstraint", {}), content_type="application/xml")


def _put(api: ObjectsApi, exchange: Exchange, place: S3Location) -> Response:
    headers = exchange.headers
    if "x-amz-copy-source" in headers:
        return _copy(api, headers, place)
    kept = api.catalog.put(place, request_body.read_content(exchange.stream, headers), **_members(headers))
    return Response(status=200, headers={"ETag": f'"{kept["etag"]}"', **kept["checksums"]})


def _copy(api: ObjectsApi, headers: Mapping[str, str], place: S3Location) -> Response:
    bucket, _, key = unquote(headers["x-amz-copy-source"].partition("?")[0]).lstrip("/").partition("/")
    source = _found(api, S3Location(bucket, key))
    members = _members(headers) if headers.get("x-amz-metadata-directive") == "REPLACE" else {}
    kept = {**source, **members}
    with api.catalog.blobs.path(source["blob"]).open("rb") as file:
        chunks = iter(lambda: file.read(1 << 20), b"")
        told = api.catalog.put(place, chunks, **{name: kept[name] for name in ("headers", "checksums") if name in kept})
    result = {"LastModified": told["modified"], "ETag": f'"{told["etag"]}"'}
    return Response(xml.document("CopyObjectResult", result), content_type="application/xml")


def _get(api: ObjectsApi, exchange: Exchange, place: S3Location) -> Response:
    body = _found(api, place)
    is_part = bool(exchange.headers.get("range"))
    headers = _described(body, is_whole=not is_part)
    if parse_etags(exchange.headers.get("if-none-match")).contains(body["etag"]):
        return Response(status=304, headers=headers)
    if_match = parse_etags(exchange.headers.get("if-match"))
    if if_match and not if_match.contains(body["etag"]):
        raise ObjectsError("PreconditionFailed", "At least one of the pre-conditions you specified did not hold", 412)
    start, end = _range(exchange, body["size"])
    status = 206 if is_part else 200
    if status == 206:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{body['size']}"
    headers["Content-Length"] = str(end - start)
    if exchange.method == "HEAD":
        return Response(status=status, headers=headers)
    file = api.catalog.blobs.path(body["blob"]).open("rb")
    file.seek(start)
    if end == body["size"]:
        return Response(FileWrapper(file, 1 << 20), status, headers, direct_passthrough=True)
    with file:
        return Response(file.read(end - start), status, headers)


def _range(exchange: Exchange, size: int) -> tuple[int, int]:
    """From where to where, the end not included."""
    wanted = parse_range_header(exchange.headers.get("range"))
    if wanted is None:
        return 0, size
    found = wanted.range_for_length(size) if wanted.units == "bytes" else None
    if found is None:
        raise ObjectsError("InvalidRange", "The requested range is not satisfiable", 416)
    return found


def _delete(api: ObjectsApi, _exchange: Exchange, place: S3Location) -> Response:
    api.catalog.remove(place)
    return Response(status=204)


def _delete_many(api: ObjectsApi, exchange: Exchange, place: S3Location) -> Response:
    root = xml.parse(exchange.body)
    wanted = [(one.findtext("Key", ""), one.findtext("VersionId")) for one in root.findall("Object")]
    if len(wanted) > _MOST_DELETED:
        raise invalid(f"{len(wanted)} objects; a request deletes {_MOST_DELETED} at most")
    for key, version in wanted:
        if version is None:
            api.catalog.remove(S3Location(place.bucket, key))
        elif version == "null":  # what an object is now is always listed so
            api.catalog.delete_current(S3Location(place.bucket, key))
        else:
            api.catalog.delete_version(S3Location(place.bucket, key), str(version))
    deleted = [] if root.findtext("Quiet") == "true" else [{"Key": key} for key, _ in wanted]
    return Response(xml.document("DeleteResult", {"Deleted": deleted}), content_type="application/xml")


def _begin_upload(api: ObjectsApi, exchange: Exchange, place: S3Location) -> Response:
    upload = api.uploads.create(place, _members(exchange.headers))
    told = {"Bucket": place.bucket, "Key": place.key, "UploadId": upload}
    return Response(xml.document("InitiateMultipartUploadResult", told), content_type="application/xml")


def _put_part(api: ObjectsApi, exchange: Exchange, _place: S3Location) -> Response:
    number = exchange.number("partNumber")
    if number is None or not 1 <= number <= 10_000:
        raise invalid("Part number must be an integer between 1 and 10000, inclusive")
    etag = api.uploads.put_part(
        exchange.args["uploadId"], number, request_body.read_content(exchange.stream, exchange.headers)
    )
    return Response(status=200, headers={"ETag": f'"{etag}"'})


def _complete_upload(api: ObjectsApi, exchange: Exchange, place: S3Location) -> Response:
    api.uploads.get(exchange.args["uploadId"])
    parts = xml.parse(exchange.body).findall("Part")
    try:
        wanted = [(int(one.findtext("PartNumber", "")), one.findtext("ETag", "")) for one in parts]
    except ValueError:
        raise invalid("A part's number is no number") from None
    kept = api.uploads.complete(exchange.args["uploadId"], wanted)
    told = {"Bucket": place.bucket, "Key": place.key, "ETag": f'"{kept["etag"]}"'}
    return Response(xml.document("CompleteMultipartUploadResult", told), content_type="application/xml")


def _abandon_upload(api: ObjectsApi, exchange: Exchange, _place: S3Location) -> Response:
    api.uploads.abort(exchange.args["uploadId"])
    return Response(status=204)


def _members(headers: Mapping[str, str]) -> Mapping[str, Any]:
    """What is kept of the headers with an object."""
    kept = {name: value for name, value in headers.items() if name in _KEPT_HEADERS or name.startswith(_META)}
    encoding = headers.get("content-encoding", "").replace("aws-chunked", "").strip(", ")
    if encoding:
        kept["content-encoding"] = encoding
    return {"headers": kept, "checksums": request_body.checksums(headers)}


def _described(body: Document, *, is_whole: bool) -> dict[str, str]:
    """An object's headers; checksums are of the whole of it."""
    modified = dt.datetime.fromisoformat(body["modified"])
    return {
        "content-type": body.get("content_type", "binary/octet-stream"),
        **body.get("headers", {}),
        **(body.get("checksums", {}) if is_whole else {}),
        "ETag": f'"{body["etag"]}"',
        "Last-Modified": format_datetime(modified, usegmt=True),
        "Accept-Ranges": "bytes",
        "Content-Length": str(body["size"]),
    }


def _found(api: ObjectsApi, place: S3Location) -> Document:
    body = api.catalog.find(place)
    if body is None:
        api.catalog.bucket(place.bucket)
        raise no_key(place.key)
    return body


_ANSWERS: Mapping[tuple[str, str, str], Answer] = {
    ("GET", "service", ""): lambda api, _exchange, _place: list_buckets(api.store),
    ("PUT", "bucket", ""): _make_bucket,
    ("HEAD", "bucket", ""): _head_bucket,
    ("DELETE", "bucket", ""): _remove_bucket,
    ("GET", "bucket", ""): lambda api, exchange, place: list_objects(api.catalog, exchange, place),
    ("GET", "bucket", "list-type"): lambda api, exchange, place: list_objects(api.catalog, exchange, place),
    ("GET", "bucket", "versions"): lambda api, exchange, place: list_versions(api.catalog, exchange, place),
    ("GET", "bucket", "location"): _location,
    ("POST", "bucket", "delete"): _delete_many,
    ("PUT", "object", ""): _put,
    ("GET", "object", ""): _get,
    ("HEAD", "object", ""): _get,
    ("DELETE", "object", ""): _delete,
    ("POST", "object", "uploads"): _begin_upload,
    ("PUT", "object", "uploadId"): _put_part,
    ("POST", "object", "uploadId"): _complete_upload,
    ("DELETE", "object", "uploadId"): _abandon_upload,
}
