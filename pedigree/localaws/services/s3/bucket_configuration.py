"""What a bucket is configured with: kept as it comes, given back as it was, absent in S3's own words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from xml.etree.ElementTree import Element

from werkzeug import Response

from pedigree.localaws.http.exchange import Exchange
from pedigree.localaws.http.protocol import xml
from pedigree.localaws.http.protocol.s3_errors import ObjectsError
from pedigree.localaws.kernel.store import Store
from pedigree.localaws.services.s3.catalog import BUCKET, S3Location

CONFIGURATION = "bucket-configuration"
# What each kind is called in a query, and what S3 answers where there is none: an error, or a document.
_ABSENT: Mapping[str, str] = {
    "encryption": "ServerSideEncryptionConfigurationNotFoundError",
    "policy": "NoSuchBucketPolicy",
    "lifecycle": "NoSuchLifecycleConfiguration",
    "tagging": "NoSuchTagSet",
    "publicAccessBlock": "NoSuchPublicAccessBlockConfiguration",
    "ownershipControls": "OwnershipControlsNotFoundError",
    "cors": "NoSuchCORSConfiguration",
}
_EMPTY: Mapping[str, bytes] = {
    "versioning": xml.document("VersioningConfiguration", {}),
    "notification": xml.document("NotificationConfiguration", {}),
    "logging": xml.document("BucketLoggingStatus", {}),
}
KINDS = (*_ABSENT, *_EMPTY)


def handler(exchange: Exchange, store: Store) -> Callable[..., Response] | None:
    """What answers a request about a kind of configuration, if it is one."""
    kind = next((word for word in exchange.args if word in KINDS), None)
    act = _ACTIONS.get(exchange.method)
    return None if kind is None or act is None else lambda _api, asked, place: act(store, asked, place, kind)


def begin_tagged(store: Store, bucket: str, tags: Element) -> None:
    """The tags that a bucket is made with are those that it is asked for later."""
    told = [{one.tag: one.text or "" for one in tag} for tag in tags.iter("Tag")]
    text = xml.document("Tagging", {"TagSet": {"Tag": told}}).decode()
    store.put(CONFIGURATION, f"{bucket}/tagging", {"text": text})


def forget(store: Store, bucket: str) -> None:
    """Forget all of a bucket's configuration."""
    for entry in store.entries(CONFIGURATION, f"{bucket}/"):
        store.remove(CONFIGURATION, entry.name)


def _get(store: Store, _exchange: Exchange, place: S3Location, kind: str) -> Response:
    found = store.find(CONFIGURATION, f"{place.bucket}/{kind}")
    if found is None and kind in _ABSENT:
        raise ObjectsError(_ABSENT[kind], f"The bucket has no {kind} configuration", 404)
    body = found["text"].encode() if found else _EMPTY[kind]
    return Response(body, content_type="application/json" if kind == "policy" else "application/xml")


def _put(store: Store, exchange: Exchange, place: S3Location, kind: str) -> Response:
    text = exchange.body.decode()
    with store.transaction():
        store.put(CONFIGURATION, f"{place.bucket}/{kind}", {"text": text})
        if kind == "versioning":
            status = xml.parse(text.encode()).findtext("Status")
            store.update(BUCKET, place.bucket, lambda bucket: {**bucket, "versioning": status})
    return Response(status=204 if kind in ("policy", "tagging") else 200)


def _delete(store: Store, _exchange: Exchange, place: S3Location, kind: str) -> Response:
    if store.find(CONFIGURATION, f"{place.bucket}/{kind}") is not None:
        store.remove(CONFIGURATION, f"{place.bucket}/{kind}")
    return Response(status=204)


_ACTIONS: Mapping[str, Callable[[Store, Any, S3Location, str], Response]] = {
    "GET": _get,
    "PUT": _put,
    "DELETE": _delete,
}
