"""Which bucket has which object: the part of S3 that the services of the local AWS use among themselves.

What HTTP clients see of it is in api.py. An object's document is named bucket/key; in a versioned bucket, what an
object was before is kept, too, and what is removed leaves a marker.
"""

from __future__ import annotations

import mimetypes
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pedigree.localaws.kernel.store import Document, Store
from pedigree.localaws.kernel.world import Clock
from pedigree.localaws.services.s3.blob_store import Blob, BlobStore

BUCKET = "bucket"
OBJECT = "object"
VERSION = "object-version"


class NoSuchBucketError(KeyError):
    """There is no bucket of that name."""


@dataclass(frozen=True)
class S3Location:
    """A place in S3: a bucket and a key, or the beginning of keys."""

    bucket: str
    key: str

    @classmethod
    def parse(cls, uri: str) -> S3Location:
        """The place that an s3:// address names; ValueError if it is none."""
        scheme, _, rest = uri.partition("://")
        bucket, _, key = rest.partition("/")
        if scheme != "s3" or not bucket:
            raise ValueError(f"{uri} is no address in S3; write s3://bucket/key")
        return cls(bucket, key)

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


class ObjectCatalog:
    """Buckets and objects."""

    def __init__(self, store: Store, blobs: BlobStore, clock: Clock) -> None:
        self._store = store
        self.blobs = blobs
        self._clock = clock

    def make_bucket(self, name: str, **members: Any) -> bool:
        """Have a bucket; whether it is new."""
        with self._store.transaction():
            if self._store.find(BUCKET, name) is not None:
                return False
            self._store.add(BUCKET, name, {"created": self._clock.now().isoformat(), **members})
            return True

    def bucket(self, name: str) -> Document:
        """What is known of a bucket."""
        found = self._store.find(BUCKET, name)
        if found is None:
            raise NoSuchBucketError(name)
        return found

    def put(self, place: S3Location, chunks: Iterable[bytes], **members: Any) -> Document:
        """Keep an object."""
        self.bucket(place.bucket)
        return self.record(place, self.blobs.add(chunks), **members)

    def put_file(self, place: S3Location, path: Path) -> Document:
        """Keep a file as an object."""
        self.bucket(place.bucket)
        kind = mimetypes.guess_type(path.name)[0] or "binary/octet-stream"
        return self.record(place, self.blobs.add_file(path), content_type=kind)

    def record(self, place: S3Location, blob: Blob, **members: Any) -> Document:
        """Say what an object's content is from now on."""
        with self._store.transaction():
            self._set_aside(place)
            body = {
                "blob": blob.sha256,
                "size": blob.size,
                "etag": blob.md5,
                "modified": self._clock.now().isoformat(),
                "number": self._store.next_number(),
                **members,
            }
            self._store.put(OBJECT, f"{place.bucket}/{place.key}", body)
        return body

    def find(self, place: S3Location) -> Document | None:
        """An object, or None."""
        return self._store.find(OBJECT, f"{place.bucket}/{place.key}")

    def under(self, place: S3Location) -> Iterator[tuple[str, Document]]:
        """The objects whose keys begin so, by key in their order."""
        start = f"{place.bucket}/"
        entries = self._store.entries(OBJECT, f"{start}{place.key}")
        for entry in sorted(entries, key=lambda one: one.name.encode()):
            yield entry.name.removeprefix(start), entry.body

    def remove(self, place: S3Location) -> bool:
        """Take an object away; whether it was there."""
        with self._store.transaction():
            if self.find(place) is None:
                return False
            self._set_aside(place)
            self._store.remove(OBJECT, f"{place.bucket}/{place.key}")
            return True

    def read(self, uri: str) -> bytes:
        """The content of an object; KeyError if there is none."""
        found = self.find(S3Location.parse(uri))
        if found is None:
            raise KeyError(uri)
        return self.blobs.path(found["blob"]).read_bytes()

    def link(self, place: S3Location, path: Path) -> None:
        """Have an object as a file; KeyError if there is none."""
        found = self.find(place)
        if found is None:
            raise KeyError(str(place))
        self.blobs.link(found["blob"], path)

    def versions(self, bucket: str, prefix: str = "") -> Iterator[tuple[str, Document]]:
        """What objects were before, by key, the newest first."""
        start = f"{bucket}/"
        for entry in reversed(self._store.entries(VERSION, f"{start}{prefix}")):
            yield entry.name.removeprefix(start).rpartition("\0")[0], entry.body

    def forget(self, place: S3Location) -> None:
        """Take an object away for good, as whoever names its present version asks for it."""
        with self._store.transaction():
            if self.find(place) is not None:
                self._store.remove(OBJECT, f"{place.bucket}/{place.key}")

    def forget_version(self, place: S3Location, number: str) -> None:
        """Forget what an object was at a time."""
        name = f"{place.bucket}/{place.key}\0{int(number):012d}" if number.isdecimal() else ""
        with self._store.transaction():
            if self._store.find(VERSION, name) is not None:
                self._store.remove(VERSION, name)

    def _set_aside(self, place: S3Location) -> None:
        """In a versioned bucket, keep what an object has been."""
        before = self.find(place)
        if before is not None and self.bucket(place.bucket).get("versioning") == "Enabled":
            self._store.put(VERSION, f"{place.bucket}/{place.key}\0{before['number']:012d}", before)


def download(
    catalog: ObjectCatalog, place: S3Location, folder: Path, share: tuple[int, int] = (0, 1), *, is_shared: bool = True
) -> int:
    """Put the objects under a prefix, or one share of so many, into a folder under the rest of their keys; how many.

    What is going to be written to must not be shared with whoever else has the same content.
    """
    index, shares = share
    fitting = [(key, body, _rest(key, place)) for key, body in catalog.under(place) if not key.endswith("/")]
    chosen = [(body, rest) for _, body, rest in fitting if not _escapes(rest)][index::shares]
    for body, rest in chosen:
        catalog.blobs.link(body["blob"], folder / rest, is_shared=is_shared)
    return len(chosen)


def _rest(key: str, place: S3Location) -> str:
    """What of a key lies below a prefix; of the prefix itself, its last part."""
    return key[len(place.key) :].lstrip("/") or key.rsplit("/", 1)[-1]


def upload(catalog: ObjectCatalog, folder: Path, place: S3Location) -> Mapping[str, Document]:
    """Keep the files of a folder as objects under a prefix."""
    kept: dict[str, Document] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            key = f"{place.key.rstrip('/')}/{path.relative_to(folder).as_posix()}".lstrip("/")
            kept[key] = catalog.put_file(S3Location(place.bucket, key), path)
    return kept


def _escapes(rest: str) -> bool:
    return any(part in ("", ".", "..") for part in rest.split("/"))
