"""RestoreObject: an object of a cold storage class can be read from then on."""

from __future__ import annotations

import datetime as dt
from email.utils import format_datetime

from werkzeug import Response

from pedigree.localaws.http.exchange import Exchange
from pedigree.localaws.http.protocol import xml
from pedigree.localaws.http.protocol.s3_errors import S3Error, malformed
from pedigree.localaws.services.s3.catalog import S3Location
from pedigree.localaws.services.s3.object_headers import COLD_CLASSES, storage_class
from pedigree.localaws.services.s3.storage import ObjectStorage, requested_version

_ACCEPTED, _OK = 202, 200


def restore_object(storage: ObjectStorage, exchange: Exchange, location: S3Location) -> Response:
    """Let an object be read for some days; it takes no time here."""
    version = requested_version(exchange)
    body = storage.find(location, version, exchange.method)
    stored = storage_class(body)
    if stored not in COLD_CLASSES:
        words = "Restore is not allowed for the object's current storage class"
        raise S3Error("InvalidObjectState", words, 403, StorageClass=stored)
    days = xml.parse(exchange.body).findtext("Days", "")
    if not days.isdecimal():
        raise malformed()
    until = storage.catalog.now() + dt.timedelta(days=int(days) + 1)
    end = format_datetime(until.replace(hour=0, minute=0, second=0, microsecond=0), usegmt=True)
    was_restored = bool(body.get("restored"))
    storage.catalog.update(location, lambda stored_body: {**stored_body, "restored": end}, version)
    storage.publish_event(exchange, "ObjectRestore:Post", location, body)
    expiry = until.strftime("%Y-%m-%dT00:00:00Z")
    storage.publish_event(exchange, "ObjectRestore:Completed", location, {**body, "restored": expiry})
    return Response(status=_OK if was_restored else _ACCEPTED)
