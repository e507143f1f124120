"""Buckets: made, found and deleted; and many objects deleted at once."""

from __future__ import annotations

from typing import Any

from werkzeug import Response

from pedigree.localaws.http.exchange import Exchange
from pedigree.localaws.http.protocol import xml
from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.http.protocol.s3_errors import S3Error, invalid
from pedigree.localaws.services.s3 import bucket_configuration
from pedigree.localaws.services.s3.catalog import BUCKET, S3Location
from pedigree.localaws.services.s3.conditions import deletion_precondition
from pedigree.localaws.services.s3.storage import ObjectStorage

_MAX_DELETED = 1000


def create_bucket(storage: ObjectStorage, exchange: Exchange, location: S3Location) -> Response:
    text = exchange.body
    tags = xml.parse(text).find("Tags") if text else None
    with storage.store.transaction():
        if not storage.catalog.make_bucket(location.bucket):
            message = "Your previous request to create the named bucket succeeded and you already own it."
            raise S3Error("BucketAlreadyOwnedByYou", message, 409)
        if tags is not None:
            bucket_configuration.put_initial_tags(storage.store, location.bucket, tags)
    return Response(status=200, headers={"Location": f"/{location.bucket}"})


def delete_bucket(storage: ObjectStorage, _exchange: Exchange, location: S3Location) -> Response:
    catalog = storage.catalog
    with storage.store.transaction():
        objects, versions = catalog.list_prefix(S3Location(location.bucket, "")), catalog.versions(location.bucket)
        if next(objects, None) or next(versions, None):
            raise S3Error("BucketNotEmpty", "The bucket you tried to delete is not empty", 409)
        storage.store.remove(BUCKET, location.bucket)
        storage.uploads.abort_all(location.bucket)
        bucket_configuration.remove_all(storage.store, location.bucket)
    return Response(status=204)


def head_bucket(_storage: ObjectStorage, _exchange: Exchange, _location: S3Location) -> Response:
    return Response(status=200)


def get_bucket_location(_storage: ObjectStorage, _exchange: Exchange, _location: S3Location) -> Response:
    return Response(xml.document("LocationConstraint", {}), content_type="application/xml")


def delete_objects(storage: ObjectStorage, exchange: Exchange, location: S3Location) -> Response:
    """Delete up to a thousand objects; one whose condition does not hold is listed as an error."""
    root = xml.parse(exchange.body)
    elements = root.findall("Object")
    if len(elements) > _MAX_DELETED:
        raise invalid(f"{len(elements)} objects; a request deletes {_MAX_DELETED} at most")
    deleted: list[dict[str, Any]] = []
    errors: list[dict[str, Any]] = []
    for element in elements:
        key = element.findtext("Key", "")
        try:
            _delete(storage, S3Location(location.bucket, key), element.findtext("VersionId"), element.findtext("ETag"))
            deleted.append({"Key": key})
        except ServiceError as error:
            errors.append({"Key": key, "Code": error.code, "Message": error.message})
    listed = [] if root.findtext("Quiet") == "true" else deleted
    document = xml.document("DeleteResult", {"Deleted": listed, "Error": errors})
    return Response(document, content_type="application/xml")


def _delete(storage: ObjectStorage, location: S3Location, version: str | None, etag: str | None) -> None:
    if version is None:
        storage.catalog.remove(location, deletion_precondition(etag, location.key))
    elif version == "null":  # the current version is always listed so
        storage.catalog.delete_current(location)
    else:
        storage.catalog.delete_version(location, version)
