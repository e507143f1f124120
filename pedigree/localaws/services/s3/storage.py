"""What the operations of S3 work on, and the errors that they have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import IO

from pedigree.localaws.http.protocol.s3_errors import no_key
from pedigree.localaws.kernel.store import Document, Store
from pedigree.localaws.services.s3.catalog import ObjectCatalog, S3Location
from pedigree.localaws.services.s3.multipart import MultipartUploads


@dataclass(frozen=True)
class ObjectStorage:
    """The documents, the objects and the uploads in progress."""

    store: Store
    catalog: ObjectCatalog
    uploads: MultipartUploads

    def find(self, location: S3Location) -> Document:
        """Return an object's document; S3Error if it does not exist."""
        body = self.catalog.find(location)
        if body is None:
            self.catalog.bucket(location.bucket)
            raise no_key(location.key)
        return body

    def open(self, location: S3Location) -> tuple[Document, IO[bytes]]:
        """Return an object's document and its content as an open file; S3Error if it does not exist."""
        self.find(location)
        try:
            return self.catalog.open(location)
        except KeyError:
            raise no_key(location.key) from None
