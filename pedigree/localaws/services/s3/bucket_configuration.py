"""A bucket's configuration: checked by S3's schema, stored and given back, reported as missing in S3's words.

Each kind has a row in _KINDS; what S3 checks beyond its schema is in configuration_rules.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias
from xml.etree.ElementTree import Element

from werkzeug import Response

from pedigree.localaws.http.exchange import Exchange
from pedigree.localaws.http.protocol import xml
from pedigree.localaws.http.protocol.s3_errors import S3Error
from pedigree.localaws.kernel.store import Store
from pedigree.localaws.services.s3.catalog import S3Location

CONFIGURATION = "bucket-configuration"
_AES256 = {"Rule": {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}}
_NO_CONTENT = 204


@dataclass(frozen=True)
class Subresource:
    """A subresource of a bucket: the operation that sets it, and what is answered where it is missing."""

    operation: str
    missing: tuple[str, str] = ("", "")
    empty: bytes = b""
    put_status: int = 200


_KINDS: Mapping[str, Subresource] = {
    "versioning": Subresource("PutBucketVersioning", empty=xml.document("VersioningConfiguration", {})),
    "notification": Subresource(
        "PutBucketNotificationConfiguration", empty=xml.document("NotificationConfiguration", {})
    ),
    "logging": Subresource("PutBucketLogging", empty=xml.document("BucketLoggingStatus", {})),
    "accelerate": Subresource("PutBucketAccelerateConfiguration", empty=xml.document("AccelerateConfiguration", {})),
    "requestPayment": Subresource(
        "PutBucketRequestPayment", empty=xml.document("RequestPaymentConfiguration", {"Payer": "BucketOwner"})
    ),
    "encryption": Subresource("PutBucketEncryption", empty=xml.document("ServerSideEncryptionConfiguration", _AES256)),
    "policy": Subresource(
        "PutBucketPolicy", ("NoSuchBucketPolicy", "The bucket policy does not exist"), put_status=204
    ),
    "lifecycle": Subresource(
        "PutBucketLifecycleConfiguration",
        ("NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist"),
    ),
    "tagging": Subresource("PutBucketTagging", ("NoSuchTagSet", "The TagSet does not exist"), put_status=204),
    "publicAccessBlock": Subresource(
        "PutPublicAccessBlock",
        ("NoSuchPublicAccessBlockConfiguration", "The public access block configuration was not found"),
    ),
    "ownershipControls": Subresource(
        "PutBucketOwnershipControls",
        ("OwnershipControlsNotFoundError", "The bucket ownership controls were not found"),
    ),
    "cors": Subresource("PutBucketCors", ("NoSuchCORSConfiguration", "The CORS configuration does not exist")),
    "website": Subresource(
        "PutBucketWebsite",
        ("NoSuchWebsiteConfiguration", "The specified bucket does not have a website configuration"),
    ),
    "object-lock": Subresource(
        "PutObjectLockConfiguration",
        ("ObjectLockConfigurationNotFoundError", "Object Lock configuration does not exist for this bucket"),
    ),
}
KINDS = tuple(_KINDS)
_Act: TypeAlias = Callable[[Store, Exchange, S3Location, str], Response]
Put: TypeAlias = Callable[[Store, Exchange, str, str], str]
"""Checks what a request sets for a bucket, and returns the text to store; empty text removes what is there."""


def handler(exchange: Exchange, store: Store, check: Put) -> Callable[..., Response] | None:
    """Return the handler of a request for a configuration, or None for another request."""
    kind = next((word for word in exchange.args if word in _KINDS), None)
    if kind is None:
        return None
    acts: Mapping[str, _Act] = {"GET": _get, "PUT": partial(_put, check=check), "DELETE": _delete}
    act = acts.get(exchange.method)
    return None if act is None else lambda _storage, exchange, location: act(store, exchange, location, kind)


def operation_of(kind: str) -> str:
    """The operation that sets a kind of configuration."""
    return _KINDS[kind].operation


def configuration_text(store: Store, bucket: str, kind: str) -> str:
    """What is configured of a kind; empty where nothing is."""
    stored = store.find(CONFIGURATION, f"{bucket}/{kind}")
    return str(stored["text"]) if stored else ""


def set_configuration(store: Store, bucket: str, kind: str, text: str) -> None:
    """Set what is configured of a kind; empty text removes it."""
    if text:
        store.put(CONFIGURATION, f"{bucket}/{kind}", {"text": text})
    elif store.find(CONFIGURATION, f"{bucket}/{kind}") is not None:
        store.remove(CONFIGURATION, f"{bucket}/{kind}")


def put_initial_tags(store: Store, bucket: str, tags: Element) -> None:
    """Store the tags in a CreateBucket request."""
    tag_set = [{member.tag: member.text or "" for member in tag} for tag in tags.iter("Tag")]
    if tag_set:
        set_configuration(store, bucket, "tagging", xml.document("Tagging", {"TagSet": {"Tag": tag_set}}).decode())


def remove_all(store: Store, bucket: str) -> None:
    """Remove all configuration of a bucket."""
    for entry in store.entries(CONFIGURATION, f"{bucket}/"):
        store.remove(CONFIGURATION, entry.name)


def _get(store: Store, _exchange: Exchange, location: S3Location, kind: str) -> Response:
    text, row = configuration_text(store, location.bucket, kind), _KINDS[kind]
    if not text and not row.empty:
        code, message = row.missing
        raise S3Error(code, message, 404, BucketName=location.bucket)
    body = text.encode() or row.empty
    answer = Response(body, content_type="application/json" if kind == "policy" else "application/xml")
    if kind == "lifecycle":
        answer.headers["x-amz-transition-default-minimum-object-size"] = "all_storage_classes_128K"
    return answer


def _put(store: Store, exchange: Exchange, location: S3Location, kind: str, check: Put) -> Response:
    with store.transaction():
        set_configuration(store, location.bucket, kind, check(store, exchange, location.bucket, kind))
    return Response(status=_KINDS[kind].put_status)


def _delete(store: Store, _exchange: Exchange, location: S3Location, kind: str) -> Response:
    set_configuration(store, location.bucket, kind, "")
    return Response(status=_NO_CONTENT)
