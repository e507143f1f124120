"""Configurations that a bucket has several of, each with an id: metrics, analytics, inventory, intelligent tiering."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from xml.etree.ElementTree import Element, tostring

from werkzeug import Response

from pedigree.localaws.http.exchange import Exchange
from pedigree.localaws.http.protocol import xml
from pedigree.localaws.http.protocol.s3_errors import S3Error, malformed
from pedigree.localaws.services.s3.bucket_configuration import CONFIGURATION, configuration_text, set_configuration
from pedigree.localaws.services.s3.catalog import S3Location
from pedigree.localaws.services.s3.document_schema import read_document
from pedigree.localaws.services.s3.storage import ObjectStorage

# By the word in the query: the operation that sets one, and the root of a list of them.
_KINDS: Mapping[str, tuple[str, str]] = {
    "metrics": ("PutBucketMetricsConfiguration", "ListMetricsConfigurationsResult"),
    "analytics": ("PutBucketAnalyticsConfiguration", "ListBucketAnalyticsConfigurationsResult"),
    "inventory": ("PutBucketInventoryConfiguration", "ListInventoryConfigurationsResult"),
    "intelligent-tiering": (
        "PutBucketIntelligentTieringConfiguration",
        "ListBucketIntelligentTieringConfigurationsOutput",
    ),
}
KINDS = tuple(_KINDS)
_INVENTORY = "inventory"
_BUCKET_ARN = "arn:aws:s3:::"
_Operation = Callable[[ObjectStorage, Exchange, S3Location], Response]


def operations() -> dict[tuple[str, str, str], _Operation]:
    """The operations by method, level and word in the query."""
    acts = {"GET": _get, "PUT": _put, "DELETE": _delete}
    return {(method, "bucket", kind): _bound(act, kind) for kind in _KINDS for method, act in acts.items()}


def _bound(act: Callable[[ObjectStorage, Exchange, S3Location, str], Response], kind: str) -> _Operation:
    return lambda storage, exchange, location: act(storage, exchange, location, kind)


def _put(storage: ObjectStorage, exchange: Exchange, location: S3Location, kind: str) -> Response:
    root = read_document(_KINDS[kind][0], exchange.body)
    identity = exchange.args.get("id", "")
    if root.findtext("Id") != identity:
        if kind != _INVENTORY:
            raise malformed()
        raise S3Error("IdMismatch", "Document ID does not match the specified configuration ID.", 400)
    bucket = root.findtext("Destination/S3BucketDestination/Bucket") if kind == _INVENTORY else None
    if bucket is not None and not bucket.startswith(_BUCKET_ARN):
        raise S3Error("InvalidS3DestinationBucket", "Invalid bucket ARN.", 400)
    set_configuration(storage.store, location.bucket, f"{kind}/{identity}", _text(root))
    return Response(status=204)


def _get(storage: ObjectStorage, exchange: Exchange, location: S3Location, kind: str) -> Response:
    identity = exchange.args.get("id")
    if identity is None:
        return _list(storage, location, kind)
    text = configuration_text(storage.store, location.bucket, f"{kind}/{identity}")
    if not text:
        raise _missing()
    start, _, rest = text.partition(">")
    return Response(f'{_DECLARATION}{start} xmlns="{xml.NAMESPACE}">{rest}', content_type="application/xml")


_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'


def _list(storage: ObjectStorage, location: S3Location, kind: str) -> Response:
    entries = storage.store.entries(CONFIGURATION, f"{location.bucket}/{kind}/")
    texts = [str(entry.body["text"]) for entry in sorted(entries, key=lambda entry: entry.name)]
    root = _KINDS[kind][1]
    inner = f"<IsTruncated>false</IsTruncated>{''.join(texts)}"
    return Response(f'{_DECLARATION}<{root} xmlns="{xml.NAMESPACE}">{inner}</{root}>', content_type="application/xml")


def _delete(storage: ObjectStorage, exchange: Exchange, location: S3Location, kind: str) -> Response:
    name = f"{kind}/{exchange.args.get('id', '')}"
    if not configuration_text(storage.store, location.bucket, name):
        raise _missing()
    set_configuration(storage.store, location.bucket, name, "")
    return Response(status=204)


def _text(root: Element) -> str:
    return tostring(root, encoding="unicode")


def _missing() -> S3Error:
    return S3Error("NoSuchConfiguration", "The specified configuration does not exist.", 404)
