"""S3's operations over HTTP: finds the one that a request names, and refuses what its head already shows to be wrong.

The operation of a request follows from its method, its level (service, bucket or object), and the one word in its query
that S3 calls a subresource. The configuration of a bucket (policy, lifecycle, …) is stored and returned unchanged.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import TypeAlias

from werkzeug import Response

from pedigree.localaws.http.exchange import Exchange
from pedigree.localaws.http.protocol.models import model
from pedigree.localaws.http.protocol.s3_address import address
from pedigree.localaws.http.protocol.s3_errors import S3Error, no_bucket, unsupported
from pedigree.localaws.http.protocol.s3_request_ids import s3_host_id, s3_request_id
from pedigree.localaws.kernel.store import Store
from pedigree.localaws.services.s3 import (
    access_lists,
    bucket_configuration,
    bucket_operations,
    identified_configuration,
    listing,
    names,
    object_attributes,
    object_headers,
    object_lock,
    object_operations,
    object_tag_operations,
    restoring,
    upload_listing,
    upload_operations,
)
from pedigree.localaws.services.s3.catalog import NoSuchBucketError, ObjectCatalog, S3Location
from pedigree.localaws.services.s3.conditions import write_condition
from pedigree.localaws.services.s3.configuration_rules import check_configuration
from pedigree.localaws.services.s3.form_answers import form_answer
from pedigree.localaws.services.s3.multipart import MultipartUploads
from pedigree.localaws.services.s3.notifications import BucketNotifications, Destinations, NoDestinations
from pedigree.localaws.services.s3.storage import ObjectStorage

S3Operation: TypeAlias = Callable[[ObjectStorage, Exchange, S3Location], Response]
_OWNERS = ("x-amz-expected-bucket-owner", "x-amz-source-expected-bucket-owner")
_ACCOUNT = re.compile(r"\d{12}")
# In the addresses of operations that need no word of their own.
_PARAMETERS = ("x-id", "list-type", "versionId", "partNumber")
_READING = ("GET", "HEAD")
_SIGNATURE_PREFIX = "x-amz-"


class S3Api:
    """Answers the requests of S3."""

    def __init__(
        self, store: Store, catalog: ObjectCatalog, account: str, destinations: Destinations | None = None
    ) -> None:
        self._account = account
        self._notifications = BucketNotifications(store, account, catalog.now, destinations or NoDestinations())
        self._storage = ObjectStorage(store, catalog, MultipartUploads(store, catalog), account, self._notifications)

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
            operation = self._operation(exchange, location)
            if _sets_notifications(exchange, location):
                # What is wrong with the document is said first, and nothing is locked while others are asked.
                check_configuration(self._storage.store, exchange, location.bucket, "notification")
                self._notifications.check(location.bucket, exchange.headers, exchange.body)
            answered = operation(self._storage, exchange, location)
        if _sets_notifications(exchange, location):
            self._notifications.send_test(location.bucket)
        if exchange.form is not None:
            answered = form_answer(exchange.form.fields, exchange, location, answered)
        if exchange.method not in _READING and not answered.get_data():
            answered.headers.pop("Content-Type", None)  # which is that of nothing
        answered.headers.extend({"x-amz-request-id": s3_request_id(), "x-amz-id-2": s3_host_id()})
        return answered

    def _check_headers(self, headers: Mapping[str, str]) -> None:
        """Refuse requests for another owner's bucket."""
        for name in _OWNERS:
            owner = headers.get(name, self._account)
            if not _ACCOUNT.fullmatch(owner):
                words = f"The value of the expected bucket owner parameter must be an AWS Account ID... [{owner}]"
                raise S3Error("InvalidBucketOwnerAWSAccountID", words, 400)
            if owner != self._account:
                raise S3Error("AccessDenied", "Access Denied", 403)

    def _check_write(self, exchange: Exchange, location: S3Location) -> None:
        """Refuse content that could not be stored."""
        headers = exchange.headers
        if "content-length" not in headers and exchange.length is not None:
            raise S3Error("MissingContentLength", "You must provide the Content-Length HTTP header.", 411)
        if "uploadId" in exchange.args:
            upload_operations.part_number(exchange)
            upload = self._storage.uploads.get(exchange.args["uploadId"], location)
            upload_operations.check_part(exchange, upload)
            return
        object_headers.stored_members(headers)
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
            configured = bucket_configuration.handler(exchange, self._storage.store, check_configuration)
        others = [] if subresource or configured else sorted(subresources().intersection(words))
        found = configured or operation
        if found is None or others:
            request = f"{exchange.method} of {'an' if level == 'object' else 'a'} {level}"
            raise unsupported(f"{request} with {' '.join(others)}" if others else request)
        return found


@cache
def subresources() -> frozenset[str]:
    """The words in a query that name an operation of S3; a word that is none of them and no parameter is ignored."""
    service = model("s3")
    uris = [service.operation_model(name).http["requestUri"] for name in service.operation_names]
    words = {piece.partition("=")[0] for uri in uris for piece in uri.partition("?")[2].split("&")}
    return frozenset(words - {"", *_PARAMETERS})


def _location(exchange: Exchange) -> S3Location:
    bucket, key, _ = address(exchange.raw_path)
    return S3Location(bucket, key)


def _sets_notifications(exchange: Exchange, location: S3Location) -> bool:
    return exchange.method == "PUT" and "notification" in exchange.args and not location.key


def _level(location: S3Location) -> str:
    return "object" if location.key else "bucket" if location.bucket else "service"


@contextmanager
def _missing_bucket_refused(location: S3Location) -> Iterator[None]:
    try:
        yield
    except NoSuchBucketError:
        raise no_bucket(location.bucket) from None


_OPERATIONS: Mapping[tuple[str, str, str], S3Operation] = {
    ("GET", "service", ""): listing.list_buckets,
    ("PUT", "bucket", ""): bucket_operations.create_bucket,
    ("HEAD", "bucket", ""): bucket_operations.head_bucket,
    ("DELETE", "bucket", ""): bucket_operations.delete_bucket,
    ("GET", "bucket", ""): listing.list_objects,
    ("GET", "bucket", "list-type"): listing.list_objects,
    ("GET", "bucket", "versions"): listing.list_versions,
    ("GET", "bucket", "uploads"): upload_listing.list_multipart_uploads,
    ("GET", "bucket", "location"): bucket_operations.get_bucket_location,
    ("GET", "bucket", "acl"): access_lists.get_acl,
    ("PUT", "bucket", "acl"): access_lists.put_acl,
    ("POST", "bucket", "delete"): bucket_operations.delete_objects,
    ("PUT", "object", ""): object_operations.put_object,
    ("GET", "object", ""): object_operations.get_object,
    ("HEAD", "object", ""): object_operations.get_object,
    ("DELETE", "object", ""): object_operations.delete_object,
    ("GET", "object", "attributes"): object_attributes.get_object_attributes,
    ("GET", "object", "acl"): access_lists.get_acl,
    ("PUT", "object", "acl"): access_lists.put_acl,
    ("GET", "object", "retention"): object_lock.get_retention,
    ("PUT", "object", "retention"): object_lock.put_retention,
    ("GET", "object", "legal-hold"): object_lock.get_legal_hold,
    ("PUT", "object", "legal-hold"): object_lock.put_legal_hold,
    ("GET", "object", "tagging"): object_tag_operations.get_object_tagging,
    ("PUT", "object", "tagging"): object_tag_operations.put_object_tagging,
    ("DELETE", "object", "tagging"): object_tag_operations.delete_object_tagging,
    ("POST", "object", "restore"): restoring.restore_object,
    ("POST", "object", "uploads"): upload_operations.create_multipart_upload,
    ("GET", "object", "uploadId"): upload_listing.list_parts,
    ("PUT", "object", "uploadId"): upload_operations.upload_part,
    ("POST", "object", "uploadId"): upload_operations.complete_multipart_upload,
    ("DELETE", "object", "uploadId"): upload_operations.abort_multipart_upload,
    **identified_configuration.operations(),
}
_WITH_CONTENT = (object_operations.put_object, upload_operations.upload_part)
