"""Multipart uploads: parts are stored one by one, and joined at the end. An upload belongs to one bucket and key."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from pedigree.localaws.http import checksums
from pedigree.localaws.http.protocol.s3_errors import S3Error
from pedigree.localaws.kernel.store import Document, Store
from pedigree.localaws.services.s3.blob_store import PART, Blob, read_pieces
from pedigree.localaws.services.s3.catalog import ObjectCatalog, Precondition, S3Location

UPLOAD = "upload"
_LEAST_PART_BYTES = 5 << 20


@dataclass(frozen=True)
class ListedPart:
    """A part as the client lists it to complete an upload; checksums by the names of their headers."""

    number: int
    etag: str
    checksums: Mapping[str, str] = field(default_factory=dict)

    def is_(self, stored: Document | None) -> bool:
        """Whether a part is stored that is the one that the client means."""
        if stored is None or stored["etag"] != self.etag.strip('"'):
            return False
        known = stored.get("checksums", {})
        return all(known.get(name, value) == value for name, value in self.checksums.items())


@dataclass(frozen=True)
class Completion:
    """What a client asks for to complete an upload."""

    parts: Sequence[ListedPart]
    precondition: Precondition
    checksum: tuple[str, str] | None = None
    size: int | None = None


class MultipartUploads:
    """Uploads that are in progress."""

    def __init__(self, store: Store, catalog: ObjectCatalog) -> None:
        self._store = store
        self._catalog = catalog

    def create(self, location: S3Location, members: Mapping[str, Any], algorithm: str, *, is_full: bool) -> str:
        """Start an upload, and return its id. A checksum is of the whole object, or of the checksums of its parts."""
        upload = uuid.uuid4().hex
        place = {"bucket": location.bucket, "key": location.key}
        self._store.add(UPLOAD, upload, {**place, "members": dict(members), "algorithm": algorithm, "full": is_full})
        return upload

    def record_part(
        self, upload: str, location: S3Location, number: int, blob: Blob, part_checksums: Mapping[str, str]
    ) -> str:
        """Store a part in place of an earlier one with its number, and return its ETag."""
        content = {"blob": blob.sha256, "size": blob.size, "etag": blob.md5, "checksums": dict(part_checksums)}
        with self._store.transaction():
            self.get(upload, location)
            before = self._store.find(PART, _name(upload, number))
            self._store.put(PART, _name(upload, number), {"number": number, **content})
            if before is not None:
                self._catalog.blobs.free(before["blob"])
        return blob.md5

    def complete(self, upload: str, location: S3Location, asked: Completion) -> Document:
        """Join the parts that the client lists; the upload is over if that succeeds."""
        started = self.get(upload, location)
        parts = self._chosen(upload, asked.parts)
        if asked.size not in (None, sum(part["size"] for part in parts)):
            raise S3Error("InvalidRequest", "The provided 'x-amz-mp-object-size' header does not match the object", 400)
        algorithm = started.get("algorithm", "")
        digest = checksums.ALGORITHMS[algorithm]() if algorithm and started.get("full") else None
        blobs = self._catalog.blobs
        with (
            blobs.pinned(*(part["blob"] for part in parts)),
            blobs.added(self._content(parts, digest)) as blob,
            self._store.transaction(),
        ):
            self.get(upload, location)
            stored = checksums.encoded(digest) if digest else _composite(algorithm, parts)
            members = {**started["members"], "etag": _etag(parts)}
            if stored:
                members["checksums"] = _object_checksum(algorithm, stored, asked.checksum, is_full=digest is not None)
            body = self._catalog.record(location, blob, asked.precondition, **members)
            self.abort(upload, location)
        return body

    def abort(self, upload: str, location: S3Location) -> None:
        """Remove an upload and its parts."""
        with self._store.transaction():
            self.get(upload, location)
            for entry in self._store.entries(PART, f"{upload}/"):
                self._store.remove(PART, entry.name)
                self._catalog.blobs.free(entry.body["blob"])
            self._store.remove(UPLOAD, upload)

    def abort_all(self, bucket: str) -> None:
        """Remove all uploads to a bucket."""
        for entry in self._store.entries(UPLOAD):
            if entry.body["bucket"] == bucket:
                self.abort(entry.name, S3Location(bucket, entry.body["key"]))

    def get(self, upload: str, location: S3Location) -> Document:
        """Return an upload in progress; NoSuchUpload if it does not exist or is for another object."""
        document = self._store.find(UPLOAD, upload)
        if document is None or (document["bucket"], document["key"]) != (location.bucket, location.key):
            message = "The specified upload does not exist. The upload ID may be invalid, or the upload may have been "
            raise S3Error("NoSuchUpload", f"{message}aborted or completed.", 404)
        return document

    def _chosen(self, upload: str, listed: Sequence[ListedPart]) -> Sequence[Document]:
        """Return the parts that the client lists; S3Error if it may not join them."""
        if not listed:
            raise S3Error("MalformedXML", "The XML you provided was not well-formed", 400)
        if any(first.number >= second.number for first, second in pairwise(listed)):
            message = "The list of parts was not in ascending order. Parts must be ordered by part number."
            raise S3Error("InvalidPartOrder", message, 400)
        stored = {entry.body["number"]: entry.body for entry in self._store.entries(PART, f"{upload}/")}
        for part in listed:
            if not part.is_(stored.get(part.number)):
                message = "One or more of the specified parts could not be found. The part may not have been uploaded, "
                raise S3Error("InvalidPart", f"{message}or the specified entity tag may not match: {part.number}", 400)
        chosen = [stored[part.number] for part in listed]
        if any(part["size"] < _LEAST_PART_BYTES for part in chosen[:-1]):
            raise S3Error("EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size", 400)
        return chosen

    def _content(self, parts: Iterable[Document], digest: checksums.Digest | None) -> Iterator[bytes]:
        for part in parts:
            for piece in read_pieces(self._catalog.blobs.path(part["blob"])):
                if digest is not None:
                    digest.update(piece)
                yield piece


def _name(upload: str, number: int) -> str:
    return f"{upload}/{number:05d}"


def _etag(parts: Sequence[Document]) -> str:
    digest = hashlib.md5(b"".join(bytes.fromhex(part["etag"]) for part in parts), usedforsecurity=False)
    return f"{digest.hexdigest()}-{len(parts)}"


def _composite(algorithm: str, parts: Sequence[Document]) -> str:
    """The checksum of the checksums of the parts; none if a part came without."""
    texts = [part.get("checksums", {}).get(f"{checksums.PREFIX}{algorithm}", "") for part in parts]
    if not algorithm or not all(texts):
        return ""
    digest = checksums.ALGORITHMS[algorithm]()
    for text in texts:
        digest.update(checksums.value(algorithm, text))
    return f"{checksums.encoded(digest)}-{len(parts)}"


def _object_checksum(
    algorithm: str, stored: str, expected: tuple[str, str] | None, *, is_full: bool
) -> Mapping[str, str]:
    """What is stored as the object's checksum; BadDigest if the client expects another."""
    if expected is not None and expected[0] == algorithm and expected[1].partition("-")[0] != stored.partition("-")[0]:
        message = f"The {algorithm.upper()} you specified did not match the calculated checksum."
        raise S3Error("BadDigest", message, 400)
    kind = "FULL_OBJECT" if is_full else "COMPOSITE"
    return {f"{checksums.PREFIX}{algorithm}": stored, f"{checksums.PREFIX}type": kind}
