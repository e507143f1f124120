"""Buckets and their objects: the part of S3 that other services use directly, without HTTP.

An object's document is named bucket/key. A versioned bucket also keeps the documents of earlier versions.
"""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, TypeAlias, TypeVar
from urllib.parse import unquote

from pedigree.clock import Clock
from pedigree.localaws.kernel.store import Document, Store
from pedigree.localaws.services.s3.blob_store import OBJECT, VERSION, Blob, BlobStore, read_pieces

BUCKET = "bucket"
Precondition: TypeAlias = Callable[["Document | None"], None]
"""Raises an error if an object must not be written or removed, given what is there; None where nothing is."""
_Result = TypeVar("_Result")


def no_precondition(_before: Document | None) -> None:
    """Lets every write pass."""


_HTTPS = re.compile(
    r"https://(?:(?P<bucket>[^/]+)\.)?s3(?:[.-](?:dualstack\.)?[a-z0-9-]+)?\.amazonaws\.com(?:\.cn)?"
    r"(?(bucket)|/(?P<path_bucket>[^/]+))(?:/(?P<key>.*))?"
)


class NoSuchBucketError(KeyError):
    """The bucket does not exist."""


@dataclass(frozen=True)
class S3Location:
    """A bucket with a key or a key prefix."""

    bucket: str
    key: str

    @classmethod
    def parse(cls, uri: str) -> S3Location:
        """Parse an s3:// URI, or an https address of S3; raise ValueError if it is malformed."""
        https = _HTTPS.fullmatch(uri)
        if https:
            return cls(https["bucket"] or https["path_bucket"], unquote(https["key"] or ""))
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
        with self.blobs.added(chunks) as blob:
            return self.record(location, blob, **members)

    def put_file(self, location: S3Location, path: Path) -> Document:
        """Store a file as an object."""
        content_type = mimetypes.guess_type(path.name)[0] or "binary/octet-stream"
        return ObjectCatalog.put(self, location, read_pieces(path), content_type=content_type)

    def record(
        self, location: S3Location, blob: Blob, precondition: Precondition = no_precondition, **members: Any
    ) -> Document:
        """Set an object's content to a stored blob, if its precondition holds at this moment."""
        with self._store.transaction():
            before = self.find(location)
            precondition(before)
            self._keep_version(location, before)
            body = {
                "blob": blob.sha256,
                "size": blob.size,
                "etag": blob.md5,
                "md5": blob.md5,
                "modified": self._clock.now().isoformat(),
                "number": self._store.next_number(),
                **members,
            }
            self._store.put(OBJECT, f"{location.bucket}/{location.key}", body)
            self._free(before)
        return body

    def find(self, location: S3Location) -> Document | None:
        """Return an object's document, or None if it does not exist."""
        return self._store.find(OBJECT, f"{location.bucket}/{location.key}")

    def has_prefix(self, location: S3Location) -> bool:
        """Whether there is an object with a key prefix."""
        return self._store.has_entries(OBJECT, f"{location.bucket}/{location.key}")

    def list_prefix(self, location: S3Location) -> Iterator[tuple[str, Document]]:
        """Yield keys and documents of the objects with a key prefix, in the order of keys."""
        start = f"{location.bucket}/"
        entries = self._store.entries(OBJECT, f"{start}{location.key}")
        for entry in sorted(entries, key=lambda entry: entry.name.encode()):
            yield entry.name.removeprefix(start), entry.body

    def remove(self, location: S3Location, precondition: Precondition = no_precondition) -> bool:
        """Remove an object, if its precondition holds at this moment, and return whether it existed."""
        with self._store.transaction():
            before = self.find(location)
            precondition(before)
            if before is None:
                return False
            self._keep_version(location, before)
            self._store.remove(OBJECT, f"{location.bucket}/{location.key}")
            self._free(before)
            return True

    def update(self, location: S3Location, change: Callable[[Document], Document]) -> Document:
        """Change what is stored with an object besides its content; raise KeyError if it does not exist."""
        with self._store.transaction():
            body = self.find(location)
            if body is None:
                raise KeyError(str(location))
            changed = change(body)
            self._store.put(OBJECT, f"{location.bucket}/{location.key}", changed)
            return changed

    def read(self, uri: str) -> bytes:
        """Return an object's content; raise KeyError if it does not exist."""
        with self.open(S3Location.parse(uri))[1] as file:
            return file.read()

    def open(self, location: S3Location) -> tuple[Document, IO[bytes]]:
        """Return an object's document and its content as an open file; raise KeyError if it does not exist."""
        return self._with_content(location, lambda body: (body, self.blobs.path(body["blob"]).open("rb")))

    def link(self, location: S3Location, path: Path, *, is_shared: bool = True) -> None:
        """Place an object's content at a path; raise KeyError if the object does not exist."""
        self._with_content(location, lambda body: self.blobs.link(body, path, is_shared=is_shared))

    def _with_content(self, location: S3Location, use: Callable[[Document], _Result]) -> _Result:
        """Use an object's file; again with what is there by then, if the object is replaced at this moment."""
        missing: Document | None = None
        while True:
            body = self.find(location)
            if body is None:
                raise KeyError(str(location))
            try:
                return use(body)
            except FileNotFoundError:
                if body == missing:
                    raise
                missing = body

    def versions(self, bucket: str, prefix: str = "") -> Iterator[tuple[str, Document]]:
        """Yield keys and documents of earlier versions, the newest first."""
        start = f"{bucket}/"
        for entry in reversed(self._store.entries(VERSION, f"{start}{prefix}")):
            yield entry.name.removeprefix(start).rpartition("\0")[0], entry.body

    def delete_current(self, location: S3Location) -> None:
        """Delete an object's current version without keeping it as an earlier one."""
        with self._store.transaction():
            before = self.find(location)
            if before is not None:
                self._store.remove(OBJECT, f"{location.bucket}/{location.key}")
                self._free(before)

    def delete_version(self, location: S3Location, number: str) -> None:
        """Delete an earlier version of an object, if it exists."""
        name = f"{location.bucket}/{location.key}\0{int(number):012d}" if number.isdecimal() else ""
        with self._store.transaction():
            version = self._store.find(VERSION, name)
            if version is not None:
                self._store.remove(VERSION, name)
                self._free(version)

    def _keep_version(self, location: S3Location, before: Document | None) -> None:
        """Keep the current version as an earlier one, if the bucket is versioned."""
        if self.bucket(location.bucket).get("versioning") == "Enabled" and before is not None:
            self._store.put(VERSION, f"{location.bucket}/{location.key}\0{before['number']:012d}", before)

    def _free(self, before: Document | None) -> None:
        if before is not None:
            self.blobs.free(before["blob"])


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
    objects = [(key, _relative(key, location)) for key, _ in catalog.list_prefix(location) if not key.endswith("/")]
    chosen = [(key, path) for key, path in objects if not _escapes(path)][index::shares]
    for key, path in chosen:
        with suppress(KeyError):  # deleted since it was listed
            ObjectCatalog.link(catalog, S3Location(location.bucket, key), folder / path, is_shared=is_shared)
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
