"""S3's operations over HTTP: each calls the catalog, and answers in S3's form.

The operation of a request follows from its method, its level (service, bucket or object), and the one word in its query
that S3 calls a subresource. The configuration of a bucket (policy, lifecycle, …) is stored and returned unchanged.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from email.utils import format_datetime
from typing import Any, TypeAlias

from werkzeug import Response
from werkzeug.http import parse_etags, parse_range_header
from werkzeug.wsgi import FileWrapper

from pedigree.localaws.http.exchange import Exchange
from pedigree.localaws.http.protocol import xml
from pedigree.localaws.http.protocol.s3_address import S3Address, address, copy_source
from pedigree.localaws.http.protocol.s3_errors import S3Error, invalid, no_bucket, no_key, unsupported
from pedigree.localaws.kernel.store import Document, Store
from pedigree.localaws.services.s3 import bucket_configuration, request_body
from pedigree.localaws.services.s3.catalog import BUCKET, NoSuchBucketError, ObjectCatalog, S3Location
from pedigree.localaws.services.s3.listing import list_buckets, list_objects, list_versions
from pedigree.localaws.services.s3.multipart import MultipartUploads

S3Operation: TypeAlias = Callable[["S3Api", Exchange, S3Location], Response]
_STORED_HEADERS = ("content-type", "cache-control", "content-disposition", "content-language")
_METADATA_PREFIX = "x-amz-meta-"
_MAX_DELETED = 1000
_OWN_ACLS = ("private", "bucket-owner-full-control")
_OWNERS = ("x-amz-expected-bucket-owner", "x-amz-source-expected-bucket-owner")
# Words in a query that are parameters, and not subresources.
_PARAMETERS = frozenset(
    {"prefix", "delimiter", "max-keys", "marker", "encoding-type", "x-id", "response-content-type", "partNumber"}
)


class S3Api:
    """Answers the requests of S3."""

    def __init__(self, store: Store, catalog: ObjectCatalog, account: str) -> None:
        self._account = account
        self.store = store
        self.catalog = catalog
        self.uploads = MultipartUploads(store, catalog)

    def supports(self, _operation: str) -> bool:
        """Return False: a request of S3 names no operation, and unsupported ones are refused when they come."""
        return False

    def __call__(self, exchange: Exchange) -> Response:
        bucket, key, _ = address(exchange.raw_path)
        location = S3Location(bucket, key)
        self._check_headers(exchange)
        try:
            return self._operation(exchange, location)(self, exchange, location)
        except NoSuchBucketError:
            raise no_bucket(bucket) from None

    def _check_headers(self, exchange: Exchange) -> None:
        """Refuse grants, since buckets have no access control lists here, and requests for another owner's bucket."""
        headers = exchange.headers
        grants = [name for name in headers if name.startswith("x-amz-grant-")]
        if grants or headers.get("x-amz-acl", "private") not in _OWN_ACLS:
            raise S3Error("AccessControlListNotSupported", "The bucket does not allow ACLs", 400)
        for name in _OWNERS:
            if headers.get(name, self._account) != self._account:
                raise S3Error("AccessDenied", f"Access Denied: {name} is not the account of the bucket", 403)

    def _operation(self, exchange: Exchange, location: S3Location) -> S3Operation:
        level = "object" if location.key else "bucket" if location.bucket else "service"
        if level != "service" and not (level == "bucket" and exchange.method == "PUT" and not exchange.args):
            self.catalog.bucket(location.bucket)
        subresource = next((word for word in exchange.args if (exchange.method, level, word) in _OPERATIONS), "")
        operation = _OPERATIONS.get((exchange.method, level, subresource))
        if level == "bucket" and not subresource:
            operation = bucket_configuration.handler(exchange, self.store) or operation
        if operation is None or not (
            subresource or _PARAMETERS.issuperset(exchange.args) or set(exchange.args) & set(bucket_configuration.KINDS)
        ):
            request = f"{exchange.method} of {'an' if level == 'object' else 'a'} {level}"
            words = " ".join(sorted(set(exchange.args) - _PARAMETERS))
            raise unsupported(f"{request}{f' with {words}' if words else ''}")
        return operation


def _create_bucket(api: S3Api, exchange: Exchange, location: S3Location) -> Response:
    text = exchange.body
    tags = xml.parse(text).find("Tags") if text else None
    with api.store.transaction():
        if not api.catalog.make_bucket(location.bucket):
            message = "Your previous request to create the named bucket succeeded and you already own it."
            raise S3Error("BucketAlreadyOwnedByYou", message, 409)
        if tags is not None:
            bucket_configuration.put_initial_tags(api.store, location.bucket, tags)
    return Response(status=200, headers={"Location": f"/{location.bucket}"})


def _delete_bucket(api: S3Api, _exchange: Exchange, location: S3Location) -> Response:
    objects, versions = api.catalog.list_prefix(S3Location(location.bucket, "")), api.catalog.versions(location.bucket)
    if next(objects, None) or next(versions, None):
        raise S3Error("BucketNotEmpty", "The bucket you tried to delete is not empty", 409)
    api.store.remove(BUCKET, location.bucket)
    bucket_configuration.remove_all(api.store, location.bucket)
    return Response(status=204)


def _head_bucket(_api: S3Api, _exchange: Exchange, _location: S3Location) -> Response:
    return Response(status=200)


def _get_bucket_location(_api: S3Api, _exchange: Exchange, _location: S3Location) -> Response:
    return Response(xml.document("LocationConstraint", {}), content_type="application/xml")


def _put_object(api: S3Api, exchange: Exchange, location: S3Location) -> Response:
    headers = exchange.headers
    source = copy_source(headers)
    if source is not None:
        return _copy_object(api, headers, source, location)
    body = api.catalog.put(location, request_body.read_content(exchange.stream, headers), **_members(headers))
    return Response(status=200, headers={"ETag": f'"{body["etag"]}"', **body["checksums"]})


def _copy_object(api: S3Api, headers: Mapping[str, str], copied: S3Address, location: S3Location) -> Response:
    if copied.version:
        raise unsupported("Copying a version of an object")
    source = _find_object(api, S3Location(copied.bucket, copied.key))
    members = _members(headers) if headers.get("x-amz-metadata-directive") == "REPLACE" else {}
    merged = {**source, **members}
    stored = {name: merged[name] for name in ("headers", "checksums") if name in merged}
    with api.catalog.blobs.path(source["blob"]).open("rb") as file:
        chunks = iter(lambda: file.read(1 << 20), b"")
        body = api.catalog.put(location, chunks, **stored)
    result = {"LastModified": body["modified"], "ETag": f'"{body["etag"]}"'}
    return Response(xml.document("CopyObjectResult", result), content_type="application/xml")


def _get_object(api: S3Api, exchange: Exchange, location: S3Location) -> Response:
    body = _find_object(api, location)
    is_part = bool(exchange.headers.get("range"))
    headers = _object_headers(body, is_whole=not is_part)
    if parse_etags(exchange.headers.get("if-none-match")).contains(body["etag"]):
        return Response(status=304, headers=headers)
    if_match = parse_etags(exchange.headers.get("if-match"))
    if if_match and not if_match.contains(body["etag"]):
        raise S3Error("PreconditionFailed", "At least one of the pre-conditions you specified did not hold", 412)
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
    """Return the first byte and the end of the requested range."""
    requested = parse_range_header(exchange.headers.get("range"))
    if requested is None:
        return 0, size
    bounds = requested.range_for_length(size) if requested.units == "bytes" else None
    if bounds is None:
        raise S3Error("InvalidRange", "The requested range is not satisfiable", 416)
    return bounds


def _delete_object(api: S3Api, _exchange: Exchange, location: S3Location) -> Response:
    api.catalog.remove(location)
    return Response(status=204)


def _delete_objects(api: S3Api, exchange: Exchange, location: S3Location) -> Response:
    root = xml.parse(exchange.body)
    objects = [(element.findtext("Key", ""), element.findtext("VersionId")) for element in root.findall("Object")]
    if len(objects) > _MAX_DELETED:
        raise invalid(f"{len(objects)} objects; a request deletes {_MAX_DELETED} at most")
    for key, version in objects:
        if version is None:
            api.catalog.remove(S3Location(location.bucket, key))
        elif version == "null":  # the current version is always listed so
            api.catalog.delete_current(S3Location(location.bucket, key))
        else:
            api.catalog.delete_version(S3Location(location.bucket, key), str(version))
    deleted = [] if root.findtext("Quiet") == "true" else [{"Key": key} for key, _ in objects]
    return Response(xml.document("DeleteResult", {"Deleted": deleted}), content_type="application/xml")


def _create_multipart_upload(api: S3Api, exchange: Exchange, location: S3Location) -> Response:
    upload = api.uploads.create(location, _members(exchange.headers))
    result = {"Bucket": location.bucket, "Key": location.key, "UploadId": upload}
    return Response(xml.document("InitiateMultipartUploadResult", result), content_type="application/xml")


def _upload_part(api: S3Api, exchange: Exchange, _location: S3Location) -> Response:
    number = exchange.number("partNumber")
    if number is None or not 1 <= number <= 10_000:
        raise invalid("Part number must be an integer between 1 and 10000, inclusive")
    etag = api.uploads.put_part(
        exchange.args["uploadId"], number, request_body.read_content(exchange.stream, exchange.headers)
    )
    return Response(status=200, headers={"ETag": f'"{etag}"'})


def _complete_multipart_upload(api: S3Api, exchange: Exchange, location: S3Location) -> Response:
    api.uploads.get(exchange.args["uploadId"])
    parts = xml.parse(exchange.body).findall("Part")
    try:
        listed = [(int(part.findtext("PartNumber", "")), part.findtext("ETag", "")) for part in parts]
    except ValueError:
        raise invalid("A part's number is not a number") from None
    body = api.uploads.complete(exchange.args["uploadId"], listed)
    result = {"Bucket": location.bucket, "Key": location.key, "ETag": f'"{body["etag"]}"'}
    return Response(xml.document("CompleteMultipartUploadResult", result), content_type="application/xml")


def _abort_multipart_upload(api: S3Api, exchange: Exchange, _location: S3Location) -> Response:
    api.uploads.abort(exchange.args["uploadId"])
    return Response(status=204)


def _members(headers: Mapping[str, str]) -> Mapping[str, Any]:
    """Return what is stored of a request's headers with an object."""
    stored = {
        name: value for name, value in headers.items() if name in _STORED_HEADERS or name.startswith(_METADATA_PREFIX)
    }
    encoding = headers.get("content-encoding", "").replace("aws-chunked", "").strip(", ")
    if encoding:
        stored["content-encoding"] = encoding
    return {"headers": stored, "checksums": request_body.checksums(headers)}


def _object_headers(body: Document, *, is_whole: bool) -> dict[str, str]:
    """Return an object's headers; checksums belong to the whole object only."""
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


def _find_object(api: S3Api, location: S3Location) -> Document:
    body = api.catalog.find(location)
    if body is None:
        api.catalog.bucket(location.bucket)
        raise no_key(location.key)
    return body


_OPERATIONS: Mapping[tuple[str, str, str], S3Operation] = {
    ("GET", "service", ""): lambda api, _exchange, _location: list_buckets(api.store),
    ("PUT", "bucket", ""): _create_bucket,
    ("HEAD", "bucket", ""): _head_bucket,
    ("DELETE", "bucket", ""): _delete_bucket,
    ("GET", "bucket", ""): lambda api, exchange, location: list_objects(api.catalog, exchange, location),
    ("GET", "bucket", "list-type"): lambda api, exchange, location: list_objects(api.catalog, exchange, location),
    ("GET", "bucket", "versions"): lambda api, exchange, location: list_versions(api.catalog, exchange, location),
    ("GET", "bucket", "location"): _get_bucket_location,
    ("POST", "bucket", "delete"): _delete_objects,
    ("PUT", "object", ""): _put_object,
    ("GET", "object", ""): _get_object,
    ("HEAD", "object", ""): _get_object,
    ("DELETE", "object", ""): _delete_object,
    ("POST", "object", "uploads"): _create_multipart_upload,
    ("PUT", "object", "uploadId"): _upload_part,
    ("POST", "object", "uploadId"): _complete_multipart_upload,
    ("DELETE", "object", "uploadId"): _abort_multipart_upload,
}
