"""What is stored with a new object besides its content: of the request's headers, and of its bucket's configuration."""

from __future__ import annotations

from typing import Any

from pedigree.localaws.http.exchange import Exchange
from pedigree.localaws.services.s3 import access_lists, encryption, object_lock
from pedigree.localaws.services.s3.bucket_configuration import configuration_text
from pedigree.localaws.services.s3.catalog import S3Location
from pedigree.localaws.services.s3.object_headers import stored_members
from pedigree.localaws.services.s3.storage import ObjectStorage


def new_members(storage: ObjectStorage, exchange: Exchange, location: S3Location) -> dict[str, Any]:
    """The members of the document of an object that a request writes."""
    headers = exchange.headers
    return {
        **stored_members(headers, is_form=exchange.form is not None),
        **encryption_members(storage, exchange, location),
        **object_lock.new_members(storage, headers, location),
        **access_lists.new_object_members(storage, headers, location),
    }


def encryption_members(storage: ObjectStorage, exchange: Exchange, location: S3Location) -> dict[str, Any]:
    """The members that say how an object is encrypted."""
    default = configuration_text(storage.store, location.bucket, "encryption")
    return dict(encryption.requested(exchange.headers, default, (exchange.region, storage.account)))
