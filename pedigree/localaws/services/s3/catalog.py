"""Buckets and their objects: the part of S3 that other services use directly, without HTTP.

An object's document is named bucket/key. A versioned bucket also keeps the documents of earlier versions.
"""

from __future__ import annotations

import datetime as dt
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
from pedigree.localaws.services.s3.blob_store import OBJECT, Blob, BlobStore, read_pieces
from pedigree.localaws.services.s3.version_history import VersionHistory, is_delete_marker, version_id

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
        self.history = VersionHistory(store, self._free)

    def now(self) -> dt.datetime:
        """The time that objects are written at."""
        return self._clock.now()

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
            moment = self._moment()
            version = self.history.make_room(_place(location), before, self._versioning(location), moment["number"])
            body = {
                "blob": blob.sha256,
                "size": blob.size,
                "etag": blob.md5,
                "md5": blob.md5,
                **moment,
                **version,
                **members,
            }
            self._store.put(OBJECT, _place(location), body)
        return body

    def find(self, location: S3Location) -> Document | None:
        """Return an object's document, or None if it does not exist."""
        return self._store.find(OBJECT, _place(location))

    def has_prefix(self, location: S3Location) -> bool:
        """Whether there is an object with a key prefix."""
        return self._store.has_entries(OBJECT, f"{location.bucket}/{location.key}")

    def list_prefix(self, location: S3Location) -> Iterator[tuple[str, Document]]:
        """Yield keys and documents of the objects with a key prefix, in the order of keys."""
        start = f"{location.bucket}/"
        entries = self._store.entries(OBJECT, f"{start}{location.key}")
        for entry in sorted(entries, key=lambda entry: entry.name.encode()):
            yield entry.name.removeprefix(start), entry.body

    def remove(self, location: S3Location, precondition: Precondition = no_precondition) -> Document | None:
        """Remove an object, if its precondition holds at this moment; return the delete marker that stands for it now.

        A bucket that keeps no versions has no delete markers.
        """
        with self._store.transaction():
            before = self.find(location)
            precondition(before)
            place, status = _place(location), self._versioning(location)
            moment = self._moment()
            version = self.history.make_room(place, before, status, moment["number"])
            if before is not None:
                self._store.remove(OBJECT, place)
            if status is None:
                return None
            marker = {"marker": True, **moment, **version}
            self.history.keep(place, marker)
            return marker

    def find_version(self, location: S3Location, version: str) -> Document | None:
        """Return a version of an object, which may be a delete marker; None if it does not exist."""
        current = self.find(location)
        if current is not None and version_id(current) == version:
            return current
        return self.history.find(_place(location), version)

    def newest_marker(self, location: S3Location) -> Document | None:
        """Return the delete marker that stands for an object; None if the object exists, or never did."""
        if self.find(location) is not None:
            return None
        return next(iter(self.history.of_object(_place(location))), None)

    def remove_version(self, location: S3Location, version: str) -> Document | None:
        """Remove one version of an object for good, and return it; the newest of those left becomes the current one."""
        place = _place(location)
        with self._store.transaction():
            current = self.find(location)
            if current is not None and version_id(current) == version:
                self._store.remove(OBJECT, place)
                self._free(current)
                removed: Document | None = current
            else:
                removed = self.history.remove(place, version)
            if self.find(location) is None:
                newest = self.history.take_newest(place)
                if newest is not None:
                    self._store.put(OBJECT, place, newest)
            return removed

    def update(
        self, location: S3Location, change: Callable[[Document], Document], version: str | None = None
    ) -> Document:
        """Change what is stored with an object besides its content; raise KeyError if it does not exist."""
        with self._store.transaction():
            current = self.find(location)
            is_current = current is not None and version in (None, version_id(current))
            body = current if is_current else self.find_version(location, version or "")
            if body is None:
                raise KeyError(str(location))
            changed = change(body)
            if is_current:
                self._store.put(OBJECT, _place(location), changed)
            else:
                self.history.keep(_place(location), changed)
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

    def _with_content(
        self, location: S3Location, use: Callable[[Document], _Result], version: str | None = None
    ) -> _Result:
        """Use an object's file; again with what is there by then, if the object is replaced at this moment."""
        missing: Document | None = None
        while True:
            body = self.find(location) if version is None else self.find_version(location, version)
            if body is None or is_delete_marker(body):
                raise KeyError(str(location))
            try:
                return use(body)
            except FileNotFoundError:
                if body == missing:
                    raise
                missing = body

    def versions(self, bucket: str, prefix: str = "") -> list[tuple[str, Document, bool]]:
        """Return keys and documents of all versions and delete markers, and whether each is the latest, in order."""
        start = S3Location(bucket, prefix)
        current = [(key, body) for key, body in self.list_prefix(start)]
        earlier = list(self.history.of_bucket(bucket, prefix))
        ordered = sorted((*current, *earlier), key=lambda version: (version[0].encode(), -int(version[1]["number"])))
        latest = {key: body["number"] for key, body in reversed(ordered)}
        return [(key, body, body["number"] == latest[key]) for key, body in ordered]

    def open_version(self, location: S3Location, version: str) -> tuple[Document, IO[bytes]]:
        """Return a version and its content as an open file; raise KeyError if it does not exist."""
        return self._with_content(location, lambda body: (body, self.blobs.path(body["blob"]).open("rb")), version)

    def _versioning(self, location: S3Location) -> str | None:
        status = self.bucket(location.bucket).get("versioning")
        return str(status) if status else None

    def _moment(self) -> Document:
        """When something is written, and its place in the order of all that is written."""
        return {"modified": self._clock.now().isoformat(), "number": self._store.next_number()}

    def _free(self, before: Document | None) -> None:
        if before is not None and "blob" in before:
            self.blobs.free(before["blob"])


def _place(location: S3Location) -> str:
    """The name of an object's document."""
    return f"{location.bucket}/{location.key}"


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
