"""The objects of S3 as a role may read and write them: a job's inputs and results, a model's archive."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from pedigree.clock import Clock
from pedigree.iam import Request
from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.iam.s3_requests import arn
from pedigree.localaws.kernel.store import Document, Store
from pedigree.localaws.services.s3.blob_store import BlobStore
from pedigree.localaws.services.s3.catalog import ObjectCatalog, S3Location

Check = Callable[[Request], None]
"""Let the role do something, or raise AccessDeniedError."""
_FORBIDDEN = "Data download failed:failed to download data. 403 Forbidden (403): Forbidden"


class RoleCatalog(ObjectCatalog):
    """The objects, as far as a role may read and write them; ServiceError where it may not."""

    def __init__(self, store: Store, blobs: BlobStore, clock: Clock, check: Check) -> None:
        super().__init__(store, blobs, clock)
        self._check = check

    def has_prefix(self, location: S3Location) -> bool:
        self._check(Request("s3:ListBucket", arn(location.bucket), {"s3:prefix": location.key}))
        return super().has_prefix(location)

    def list_prefix(self, location: S3Location) -> Iterator[tuple[str, Document]]:
        """The objects under a prefix, each of which the role must be allowed to read."""
        self._read("s3:ListBucket", location.bucket, prefix=location.key)
        for key, body in super().list_prefix(location):
            self._read("s3:GetObject", location.bucket, key)
            yield key, body

    def read(self, uri: str) -> bytes:
        location = S3Location.parse(uri)
        self._read("s3:GetObject", location.bucket, location.key)
        return super().read(uri)

    def open(self, location: S3Location) -> tuple[Document, IO[bytes]]:
        self._read("s3:GetObject", location.bucket, location.key)
        return super().open(location)

    def link(self, location: S3Location, path: Path, *, is_shared: bool = True) -> None:
        self._read("s3:GetObject", location.bucket, location.key)
        super().link(location, path, is_shared=is_shared)

    def put(self, location: S3Location, chunks: Iterable[bytes], **members: Any) -> Document:
        self._write(location)
        return super().put(location, chunks, **members)

    def put_file(self, location: S3Location, path: Path) -> Document:
        self._write(location)
        return super().put_file(location, path)

    def _write(self, location: S3Location) -> None:
        try:
            self._check(Request("s3:PutObject", arn(location.bucket, location.key)))
        except ServiceError as error:
            raise ServiceError(error.code, f"Artifact upload failed: {error.message}", error.status) from None

    def _read(self, action: str, bucket: str, key: str = "", *, prefix: str | None = None) -> None:
        try:
            self._check(Request(action, arn(bucket, key), {} if prefix is None else {"s3:prefix": prefix}))
        except ServiceError as error:
            words = f"{_FORBIDDEN} [local AWS] {error.message}"
            raise ServiceError(error.code, words, error.status) from None
