"""S3's operations over HTTP: finds the one that a request names, and refuses what its head already shows to be wrong.

The operation of a request follows from its method, its level (service, bucket or object), and the one word in its query
that S3 calls a subresource. The configuration of a bucket (policy, lifecycle, …) is stored and returned unchanged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeAlias

from werkzeug import Response

from pedigree.localaws.http.exchange import Exchange
from pedigree.localaws.http.protocol.s3_address import address
from pedigree.localaws.http.protocol.s3_errors import S3Error, no_bucket, unsupported
from pedigree.localaws.kernel.store import Store
from pedigree.localaws.services.s3 import (
    bucket_configuration,
    bucket_operations,
    names,
    object_operations,
    object_tag_operations,
    upload_operations,
)
from pedigree.localaws.services.s3.catalog import NoSuchBucketError, ObjectCatalog, S3Location
from pedigree.localaws.services.s3.conditions import write_condition
from pedigree.localaws.services.s3.form_answers import form_answer
from pedigree.localaws.services.s3.listing import list_buckets, list_objects, list_versions
from pedigree.localaws.services.s3.multipart import MultipartUploads
from pedigree.localaws.services.s3.storage import ObjectStorage

S3Operation: TypeAlias = Callable[[ObjectStorage, Exchange, S3Location], Response]
_OWN_ACLS = ("private", "bucket-owner-full-control")
_OWNERS = ("x-amz-expected-bucket-owner", "x-amz-source-expected-bucket-owner")
# Words in a query that are parameters, and not subresources; those of a signature begin with x-amz-.
_PARAMETERS = frozenset(
    {"prefix", "delimiter", "max-keys", "marker", "encoding-type", "x-id", "response-content-type", "partNumber"}
)
_SIGNATURE_PREFIX = "x-amz-"


class S3Api:
    """Answers the requests of S3."""

    def __init__(self, store: Store, catalog: ObjectCatalog, account: str) -> None:
        self._account = account
        self._storage = ObjectStorage(store, catalog, MultipartUploads(store, catalog))

    def supports(self, _operation: str) -> bool:
        """Return False: a request of S3 names no operation, and unsupported ones are refused when they come."""
        return False

    def check_head(self, exchange: Exchange) -> None:
        """Refuse a request before its body is received."""
        location = _location(exchange)
        self._check_headers(exchange.headers)
        with _missing_bucket_refused(location):
            operation = self._operation(exchange, location)
            if operation in _WITH_CONTENT:
                self._check_write(exchange, location)

    def __call__(self, exchange: Exchange) -> Response:
        location = _location(exchange)
        with _missing_bucket_refused(location):
            answered = self._operation(exchange, location)(self._storage, exchange, location)
        return answered if exchange.form is None else form_answer(exchange.form.fields, exchange, location, answered)

    def _check_headers(self, headers: Mapping[str, str]) -> None:
        """Refuse grants, since buckets have no access control lists here, and requests for another owner's bucket."""
        grants = [name for name in headers if name.startswith("x-amz-grant-")]
        if grants or headers.get("x-amz-acl", "private") not in _OWN_ACLS:
            raise S3Error("AccessControlListNotSupported", "The bucket does not allow ACLs", 400)
        for name in _OWNERS:
            if headers.get(name, self._account) != self._account:
                raise S3Error("AccessDenied", f"Access Denied: {name} is not the account of the bucket", 403)

    def _check_write(self, exchange: Exchange, location: S3Location) -> None:
        """Refuse content that could not be stored."""
        headers = exchange.headers
        if "content-length" not in headers and exchange.length is not None:
            raise S3Error("MissingContentLength", "You must provide the Content-Length HTTP header.", 411)
        if "uploadId" in exchange.args:
            upload_operations.part_number(exchange)
            self._storage.uploads.get(exchange.args["uploadId"], location)
            return
        object_operations.stored_members(headers)
        condition = write_condition(headers, location.key)
        if condition is not None:
            condition.check_at_start(self._storage.catalog.find(location))

    def _operation(self, exchange: Exchange, location: S3Location) -> S3Operation:
        level = _level(location)
        words = [word for word in exchange.args if not word.lower().startswith(_SIGNATURE_PREFIX)]
        if level != "service":
            names.check_bucket(location.bucket)
            names.check_key(location.key)
        if level != "service" and not (level == "bucket" and exchange.method == "PUT" and not words):
            self._storage.catalog.bucket(location.bucket)
        subresource = next((word for word in words if (exchange.method, level, word) in _OPERATIONS), "")
        operation = _OPERATIONS.get((exchange.method, level, subresource))
        configured = None
        if level == "bucket" and not subresource:
            configured = bucket_configuration.handler(exchange, self._storage.store)
        is_known = bool(subresource or configured) or _PARAMETERS.issuperset(words)
        found = configured or operation
        if found is None or not is_known:
            request = f"{exchange.method} of {'an' if level == 'object' else 'a'} {level}"
            others = " ".join(sorted(set(words) - _PARAMETERS))
            raise unsupported(f"{request}{f' with {others}' if others else ''}")
        return found


def _location(exchange: Exchange) -> S3Location:
    bucket, key, _ = address(exchange.raw_path)
    return S3Location(bucket, key)


def _level(location: S3Location) -> str:
    return "object" if location.key else "bucket" if location.bucket else "service"


@contextmanager
def _missing_bucket_refused(location: S3Location) -> Iterator[None]:
    try:
        yield
    except NoSuchBucketError:
        raise no_bucket(location.bucket) from None


_OPERATIONS: Mapping[tuple[str, str, str], S3Operation] = {
    ("GET", "service", ""): lambda storage, _exchange, _location: list_buckets(storage.store),
    ("PUT", "bucket", ""): bucket_operations.create_bucket,
    ("HEAD", "bucket", ""): bucket_operations.head_bucket,
    ("DELETE", "bucket", ""): bucket_operations.delete_bucket,
    ("GET", "bucket", ""): lambda storage, exchange, location: list_objects(storage.catalog, exchange, location),
    ("GET", "bucket", "list-type"): lambda storage, exchange, at: list_objects(storage.catalog, exchange, at),
    ("GET", "bucket", "versions"): lambda storage, exchange, at: list_versions(storage.catalog, exchange, at),
    ("GET", "bucket", "location"): bucket_operations.get_bucket_location,
    ("POST", "bucket", "delete"): bucket_operations.delete_objects,
    ("PUT", "object", ""): object_operations.put_object,
    ("GET", "object", ""): object_operations.get_object,
    ("HEAD", "object", ""): object_operations.get_object,
    ("DELETE", "object", ""): object_operations.delete_object,
    ("GET", "object", "tagging"): object_tag_operations.get_object_tagging,
    ("PUT", "object", "tagging"): object_tag_operations.put_object_tagging,
    ("DELETE", "object", "tagging"): object_tag_operations.delete_object_tagging,
    ("POST", "object", "uploads"): upload_operations.create_multipart_upload,
    ("PUT", "object", "uploadId"): upload_operations.upload_part,
    ("POST", "object", "uploadId"): upload_operations.complete_multipart_upload,
    ("DELETE", "object", "uploadId"): upload_operations.abort_multipart_upload,
}
_WITH_CONTENT = (object_operations.put_object, upload_operations.upload_part)
