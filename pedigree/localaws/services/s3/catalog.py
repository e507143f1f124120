"""Buckets and their objects: the part of S3 that other services use directly, without HTTP.

An object's document is named bucket/key. A versioned bucket also keeps the documents of earlier versions.
"""

from __future__ import annotations

import mimetypes
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pedigree.clock import Clock
from pedigree.localaws.kernel.store import Document, Store
from pedigree.localaws.services.s3.blob_store import Blob, BlobStore

BUCKET = "bucket"
OBJECT = "object"
VERSION = "object-version"


class NoSuchBucketError(KeyError):
    """The bucket does not exist."""


@dataclass(frozen=True)
class S3Location:
    """A bucket with a key or a key prefix."""

    bucket: str
    key: str

    @classmethod
    def parse(cls, uri: str) -> S3Location:
        """Parse an s3:// URI; raise ValueError if it is malformed."""
        scheme, _, rest = uri.partition("://")
        bucket, _, key = rest.partition("/")
        if scheme != "s3" or not bucket:
            raise ValueError(f"{uri} is not an S3 URI; write s3://bucket/key")
        return cls(bucket, key)

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


class ObjectCatalog:
    """Maps buckets and keys to contents."""

    def __init__(self, store: Store, blobs: BlobStore, clock: Clock) -> None:
        self._store = store
        self.blobs = blobs
        self._clock = clock

    def make_bucket(self, name: str, **members: Any) -> bool:
        """Create a bucket, and return whether it is new."""
        with self._store.transaction():
            if self._store.find(BUCKET, name) is not None:
                return False
            self._store.add(BUCKET, name, {"created": self._clock.now().isoformat(), **members})
            return True

    def bucket(self, name: str) -> Document:
        """Return a bucket's document; raise NoSuchBucketError if it does not exist."""
        bucket = self._store.find(BUCKET, name)
        if bucket is None:
            raise NoSuchBucketError(name)
        return bucket

    def put(self, location: S3Location, chunks: Iterable[bytes], **members: Any) -> Document:
        """Store an object from chunks of its content."""
        self.bucket(location.bucket)
        return self.record(location, self.blobs.add(chunks), **members)

    def put_file(self, location: S3Location, path: Path) -> Document:
        """Store a file as an object."""
        self.bucket(location.bucket)
        content_type = mimetypes.guess_type(path.name)[0] or "binary/octet-stream"
        return self.record(location, self.blobs.add_file(path), content_type=content_type)

    def record(self, location: S3Location, blob: Blob, **members: Any) -> Document:
        """Set an object's content to a stored blob."""
        with self._store.transaction():
            self._keep_version(location)
            body = {
                "blob": blob.sha256,
                "size": blob.size,
                "etag": blob.md5,
                "modified": self._clock.now().isoformat(),
                "number": self._store.next_number(),
                **members,
            }
            self._store.put(OBJECT, f"{location.bucket}/{location.key}", body)
        return body

    def find(self, location: S3Location) -> Document | None:
        """Return an object's document, or None if it does not exist."""
        return self._store.find(OBJECT, f"{location.bucket}/{location.key}")

    def list_prefix(self, location: S3Location) -> Iterator[tuple[str, Document]]:
        """Yield keys and documents of the objects with a key prefix, in the order of keys."""
        start = f"{location.bucket}/"
        entries = self._store.entries(OBJECT, f"{start}{location.key}")
        for entry in sorted(entries, key=lambda entry: entry.name.encode()):
            yield entry.name.removeprefix(start), entry.body

    def remove(self, location: S3Location) -> bool:
        """Remove an object, and return whether it existed."""
        with self._store.transaction():
            if self.find(location) is None:
                return False
            self._keep_version(location)
            self._store.remove(OBJECT, f"{location.bucket}/{location.key}")
            return True

    def read(self, uri: str) -> bytes:
        """Return an object's content; raise KeyError if it does not exist."""
        body = self.find(S3Location.parse(uri))
        if body is None:
            raise KeyError(uri)
        return self.blobs.path(body["blob"]).read_bytes()

    def link(self, location: S3Location, path: Path) -> None:
        """Place an object's content at a path; raise KeyError if the object does not exist."""
        body = self.find(location)
        if body is None:
            raise KeyError(str(location))
        self.blobs.link(body["blob"], path)

    def versions(self, bucket: str, prefix: str = "") -> Iterator[tuple[str, Document]]:
        """Yield keys and documents of earlier versions, the newest first."""
        start = f"{bucket}/"
        for entry in reversed(self._store.entries(VERSION, f"{start}{prefix}")):
            yield entry.name.removeprefix(start).rpartition("\0")[0], entry.body

    def delete_current(self, location: S3Location) -> None:
        """Delete an object's current version without keeping it as an earlier one."""
        with self._store.transaction():
            if self.find(location) is not None:
                self._store.remove(OBJECT, f"{location.bucket}/{location.key}")

    def delete_version(self, location: S3Location, number: str) -> None:
        """Delete an earlier version of an object, if it exists."""
        name = f"{location.bucket}/{location.key}\0{int(number):012d}" if number.isdecimal() else ""
        with self._store.transaction():
            if self._store.find(VERSION, name) is not None:
                self._store.remove(VERSION, name)

    def _keep_version(self, location: S3Location) -> None:
        """Keep the current version as an earlier one, if the bucket is versioned."""
        before = self.find(location)
        if before is not None and self.bucket(location.bucket).get("versioning") == "Enabled":
            self._store.put(VERSION, f"{location.bucket}/{location.key}\0{before['number']:012d}", before)


def download(
    catalog: ObjectCatalog,
    location: S3Location,
    folder: Path,
    share: tuple[int, int] = (0, 1),
    *,
    is_shared: bool = True,
) -> int:
    """Place the objects with a key prefix in a folder, and return how many.

    share is an index and a number of shares, of which only one is downloaded. Files that will be written to must not be
    shared with the blob store.
    """
    index, shares = share
    objects = [(body, _relative(key, location)) for key, body in catalog.list_prefix(location) if not key.endswith("/")]
    chosen = [(body, path) for body, path in objects if not _escapes(path)][index::shares]
    for body, path in chosen:
        catalog.blobs.link(body["blob"], folder / path, is_shared=is_shared)
    return len(chosen)


def _relative(key: str, location: S3Location) -> str:
    """Return the part of a key below a prefix; for the prefix itself, its last part."""
    return key[len(location.key) :].lstrip("/") or key.rsplit("/", 1)[-1]


def upload(catalog: ObjectCatalog, folder: Path, location: S3Location) -> Mapping[str, Document]:
    """Store the files of a folder as objects with a key prefix, and return their documents by key."""
    objects: dict[str, Document] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            key = f"{location.key.rstrip('/')}/{path.relative_to(folder).as_posix()}".lstrip("/")
            objects[key] = catalog.put_file(S3Location(location.bucket, key), path)
    return objects


def _escapes(path: str) -> bool:
    return any(part in ("", ".", "..") for part in path.split("/"))
