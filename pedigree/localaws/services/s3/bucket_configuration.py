"""A bucket's configuration: stored and returned unchanged, and reported as missing in S3's own words.

Only its policy has an effect here, so only that is read before it is stored.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from xml.etree.ElementTree import Element

from werkzeug import Response

from pedigree.localaws.http.exchange import Exchange
from pedigree.localaws.http.protocol import xml
from pedigree.localaws.http.protocol.s3_errors import S3Error
from pedigree.localaws.kernel.store import Store
from pedigree.localaws.services.s3.bucket_policies import check_bucket_policy
from pedigree.localaws.services.s3.catalog import BUCKET, S3Location

CONFIGURATION = "bucket-configuration"
# By the name in the query: what S3 answers where the configuration is missing, an error or an empty document.
_MISSING_ERRORS: Mapping[str, str] = {
    "encryption": "ServerSideEncryptionConfigurationNotFoundError",
    "policy": "NoSuchBucketPolicy",
    "lifecycle": "NoSuchLifecycleConfiguration",
    "tagging": "NoSuchTagSet",
    "publicAccessBlock": "NoSuchPublicAccessBlockConfiguration",
    "ownershipControls": "OwnershipControlsNotFoundError",
    "cors": "NoSuchCORSConfiguration",
}
_EMPTY_DOCUMENTS: Mapping[str, bytes] = {
    "versioning": xml.document("VersioningConfiguration", {}),
    "notification": xml.document("NotificationConfiguration", {}),
    "logging": xml.document("BucketLoggingStatus", {}),
}
KINDS = (*_MISSING_ERRORS, *_EMPTY_DOCUMENTS)


def handler(exchange: Exchange, store: Store) -> Callable[..., Response] | None:
    """Return the handler of a request for a configuration, or None for another request."""
    kind = next((word for word in exchange.args if word in KINDS), None)
    act = _ACTIONS.get(exchange.method)
    return (
        None
        if kind is None or act is None
        else lambda _storage, exchange, location: act(store, exchange, location, kind)
    )


def put_initial_tags(store: Store, bucket: str, tags: Element) -> None:
    """Store the tags in a CreateBucket request."""
    tag_set = [{member.tag: member.text or "" for member in tag} for tag in tags.iter("Tag")]
    text = xml.document("Tagging", {"TagSet": {"Tag": tag_set}}).decode()
    store.put(CONFIGURATION, f"{bucket}/tagging", {"text": text})


def remove_all(store: Store, bucket: str) -> None:
    """Remove all configuration of a bucket."""
    for entry in store.entries(CONFIGURATION, f"{bucket}/"):
        store.remove(CONFIGURATION, entry.name)


def _get(store: Store, _exchange: Exchange, location: S3Location, kind: str) -> Response:
    configuration = store.find(CONFIGURATION, f"{location.bucket}/{kind}")
    if configuration is None and kind in _MISSING_ERRORS:
        raise S3Error(_MISSING_ERRORS[kind], f"The bucket has no {kind} configuration", 404)
    body = configuration["text"].encode() if configuration else _EMPTY_DOCUMENTS[kind]
    return Response(body, content_type="application/json" if kind == "policy" else "application/xml")


def _put(store: Store, exchange: Exchange, location: S3Location, kind: str) -> Response:
    text = exchange.body.decode()
    if kind == "policy":
        block = store.find(CONFIGURATION, f"{location.bucket}/publicAccessBlock")
        check_bucket_policy(text, location.bucket, block["text"] if block else "")
    with store.transaction():
        store.put(CONFIGURATION, f"{location.bucket}/{kind}", {"text": text})
        if kind == "versioning":
            status = xml.parse(text.encode()).findtext("Status")
            store.update(BUCKET, location.bucket, lambda bucket: {**bucket, "versioning": status})
    return Response(status=204 if kind in ("policy", "tagging") else 200)


def _delete(store: Store, _exchange: Exchange, location: S3Location, kind: str) -> Response:
    if store.find(CONFIGURATION, f"{location.bucket}/{kind}") is not None:
        store.remove(CONFIGURATION, f"{location.bucket}/{kind}")
    return Response(status=204)


_ACTIONS: Mapping[str, Callable[[Store, Any, S3Location, str], Response]] = {
    "GET": _get,
    "PUT": _put,
    "DELETE": _delete,
}
