"""What the operations of S3 work on, and the errors that they have in common."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO

from pedigree.localaws.http.exchange import Exchange
from pedigree.localaws.http.protocol.s3_errors import (
    S3Error,
    bad_argument,
    delete_marker,
    no_bucket,
    no_key,
    no_version,
)
from pedigree.localaws.kernel.store import Document, Store
from pedigree.localaws.services.s3.catalog import BUCKET, ObjectCatalog, S3Location
from pedigree.localaws.services.s3.multipart import MultipartUploads
from pedigree.localaws.services.s3.object_events import ObjectEvent
from pedigree.localaws.services.s3.version_history import NULL, is_delete_marker, is_version_id, version_id


def ignore_event(_event: ObjectEvent) -> None:
    """The default of notify."""


@dataclass(frozen=True)
class ObjectStorage:
    """The documents, the objects and the uploads in progress of an account."""

    store: Store
    catalog: ObjectCatalog
    uploads: MultipartUploads
    account: str
    notify: Callable[[ObjectEvent], None] = ignore_event

    def publish_event(self, exchange: Exchange, name: str, location: S3Location, body: Document) -> None:
        """Publish the event of a change of an object."""
        requester = exchange.caller.user_id if exchange.caller else ""
        owner = self.owner[:14].upper()
        self.notify(ObjectEvent(name, location.bucket, location.key, body, owner, requester, exchange.region))

    @property
    def owner(self) -> str:
        """The canonical id of the account, which owns all buckets."""
        return hashlib.sha256(f"pedigree {self.account}".encode()).hexdigest()

    def bucket(self, name: str) -> Document:
        """Return a bucket's document; S3Error if it does not exist."""
        body = self.store.find(BUCKET, name)
        if body is None:
            raise no_bucket(name)
        return body

    def find(self, location: S3Location, version: str | None = None, method: str = "GET") -> Document:
        """Return an object's document, or that of one version; S3Error if there is none to read."""
        bucket = self.bucket(location.bucket)
        if version is None:
            body = self.catalog.find(location)
            if body is None:
                raise self.missing(location)
            return body
        check_version(bucket, version)
        body = self.catalog.find_version(location, version)
        if body is None:
            raise no_version(location.key, version)
        if is_delete_marker(body):
            raise delete_marker(method, marker_headers(body))
        return body

    def open(self, location: S3Location, version: str | None = None, method: str = "GET") -> tuple[Document, IO[bytes]]:
        """Return an object's document and its content as an open file; S3Error if it does not exist."""
        self.find(location, version, method)
        try:
            return self.catalog.open(location) if version is None else self.catalog.open_version(location, version)
        except KeyError:
            raise self.missing(location) from None

    def missing(self, location: S3Location) -> S3Error:
        """The error for an object that is not there, which says whether it was deleted."""
        refusal = no_key(location.key)
        marker = self.catalog.newest_marker(location)
        if marker is not None:
            refusal.headers = marker_headers(marker)
        return refusal


def requested_version(exchange: Exchange) -> str | None:
    """The version that a request names."""
    version = exchange.args.get("versionId")
    if version == "":
        raise bad_argument("versionId", "", "Version id cannot be the empty string")
    return version


def check_version(bucket: Document, version: str) -> None:
    """InvalidArgument for what no version of this bucket's objects could be called."""
    if not is_version_id(version) or (version != NULL and not bucket.get("versioning")):
        raise bad_argument("versionId", version, "Invalid version id specified")


def marker_headers(marker: Document) -> dict[str, str]:
    """The headers that tell of a delete marker."""
    return {"x-amz-delete-marker": "true", "x-amz-version-id": version_id(marker)}


def version_headers(bucket: Document, body: Document) -> dict[str, str]:
    """The header that names an object's version, if its bucket has versions."""
    return {"x-amz-version-id": version_id(body)} if bucket.get("versioning") else {}


def written_version_headers(bucket: Document, body: Document) -> dict[str, str]:
    """The header that names what was written; a bucket whose versioning is suspended does not name it."""
    return {} if version_id(body) == NULL else version_headers(bucket, body)
