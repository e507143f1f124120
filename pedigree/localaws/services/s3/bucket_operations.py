"""Buckets: made, found and deleted; and many objects deleted at once."""

from __future__ import annotations

from typing import Any

from werkzeug import Response

from pedigree.localaws.http.exchange import Exchange
from pedigree.localaws.http.protocol import xml
from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.http.protocol.s3_errors import S3Error, malformed, no_version
from pedigree.localaws.services.s3 import bucket_configuration, bucket_creation, object_lock
from pedigree.localaws.services.s3.catalog import BUCKET, S3Location
from pedigree.localaws.services.s3.object_operations import delete_version, remove_object
from pedigree.localaws.services.s3.storage import ObjectStorage
from pedigree.localaws.services.s3.version_history import is_delete_marker, is_version_id, version_id

_MAX_DELETED = 1000
_FIRST_REGION = "us-east-1"


def create_bucket(storage: ObjectStorage, exchange: Exchange, location: S3Location) -> Response:
    new = bucket_creation.read(exchange, storage.owner)
    with storage.store.transaction():
        if not storage.catalog.make_bucket(location.bucket, **new.members):
            message = "Your previous request to create the named bucket succeeded and you already own it."
            if new.is_plain and exchange.region == _FIRST_REGION:
                return _created(exchange, location)  # as on AWS, in its first region only
            raise S3Error("BucketAlreadyOwnedByYou", message, 409, BucketName=location.bucket)
        for kind, text in new.configuration.items():
            bucket_configuration.set_configuration(storage.store, location.bucket, kind, text)
        if new.tags is not None:
            bucket_configuration.put_initial_tags(storage.store, location.bucket, new.tags)
    return _created(exchange, location)


def _created(exchange: Exchange, location: S3Location) -> Response:
    name = location.bucket
    place = f"/{name}" if exchange.region == _FIRST_REGION else f"http://{name}.s3.amazonaws.com/"
    return Response(status=200, headers={"Location": place, "x-amz-bucket-arn": f"arn:aws:s3:::{name}"})


def delete_bucket(storage: ObjectStorage, _exchange: Exchange, location: S3Location) -> Response:
    catalog = storage.catalog
    with storage.store.transaction():
        if catalog.versions(location.bucket):
            message = "The bucket you tried to delete is not empty"
            if storage.bucket(location.bucket).get("versioning"):
                message += ". You must delete all versions in the bucket."
            raise S3Error("BucketNotEmpty", message, 409, BucketName=location.bucket)
        storage.store.remove(BUCKET, location.bucket)
        storage.uploads.abort_all(location.bucket)
        bucket_configuration.remove_all(storage.store, location.bucket)
    return Response(status=204)


def head_bucket(storage: ObjectStorage, exchange: Exchange, location: S3Location) -> Response:
    region = storage.bucket(location.bucket).get("region", exchange.region)
    headers = {
        "x-amz-bucket-region": str(region),
        "x-amz-access-point-alias": "false",
        "x-amz-bucket-arn": f"arn:aws:s3:::{location.bucket}",
    }
    return Response(status=200, headers=headers, content_type="application/xml")


def get_bucket_location(storage: ObjectStorage, _exchange: Exchange, location: S3Location) -> Response:
    constraint = storage.bucket(location.bucket).get("constraint", "")
    start = f'<LocationConstraint xmlns="{xml.NAMESPACE}"'
    text = f"{start}>{xml.text(constraint)}</LocationConstraint>" if constraint else f"{start}/>"
    return Response(f'<?xml version="1.0" encoding="UTF-8"?>\n{text}', content_type="application/xml")


def delete_objects(storage: ObjectStorage, exchange: Exchange, location: S3Location) -> Response:
    """Delete up to a thousand objects; one whose condition does not hold is listed as an error."""
    root = xml.parse(exchange.body)
    elements = root.findall("Object")
    if not elements or len(elements) > _MAX_DELETED:
        raise malformed()
    bypass = object_lock.check_bypass(storage, exchange, location)
    deleted: list[dict[str, Any]] = []
    errors: list[dict[str, Any]] = []
    for element in elements:
        key, version = element.findtext("Key", ""), element.findtext("VersionId")
        named = {"Key": key, **({"VersionId": version} if version is not None else {})}
        place = S3Location(location.bucket, key)
        try:
            deleted.append(named | _delete(storage, exchange, place, version, element.findtext("ETag"), bypass=bypass))
        except ServiceError as error:
            errors.append({**named, "Code": error.code, "Message": error.message})
    listed = [] if root.findtext("Quiet", "").lower() == "true" else deleted
    document = xml.document("DeleteResult", {"Deleted": listed, "Error": errors})
    return Response(document, content_type="application/xml")


def _delete(
    storage: ObjectStorage,
    exchange: Exchange,
    location: S3Location,
    version: str | None,
    etag: str | None,
    *,
    bypass: bool,
) -> dict[str, Any]:
    """Delete one object or version, and return what is said of a delete marker."""
    if version is None:
        marker = remove_object(storage, exchange, location, etag)
        return {"DeleteMarker": True, "DeleteMarkerVersionId": version_id(marker)} if marker else {}
    bucket = storage.bucket(location.bucket)
    if not is_version_id(version) or (version != "null" and not bucket.get("versioning")):
        raise no_version(location.key, version)
    removed = delete_version(storage, exchange, location, version, bypass=bypass)
    if removed is None and version != "null":
        raise no_version(location.key, version)
    if removed is not None and is_delete_marker(removed):
        return {"DeleteMarker": True, "DeleteMarkerVersionId": version}
    return {}
