"""Multipart uploads: parts are stored one by one, and joined at the end. An upload belongs to one bucket and key."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

from pedigree.localaws.http import checksums
from pedigree.localaws.http.protocol.s3_errors import S3Error, bad_request
from pedigree.localaws.kernel.store import Document, Store
from pedigree.localaws.services.s3.blob_store import PART, Blob, read_pieces
from pedigree.localaws.services.s3.catalog import ObjectCatalog, S3Location
from pedigree.localaws.services.s3.upload_checksums import Completion, ListedPart, UploadChecksums

UPLOAD = "upload"
_LEAST_PART_BYTES = 5 << 20


class MultipartUploads:
    """Uploads that are in progress."""

    def __init__(self, store: Store, catalog: ObjectCatalog) -> None:
        self._store = store
        self._catalog = catalog

    def create(self, location: S3Location, members: Mapping[str, Any], algorithm: str, kind: str, **more: Any) -> str:
        """Start an upload, and return its id; the kind says of what its checksum is."""
        upload = uuid.uuid4().hex
        before = self._catalog.find(location)
        document = {
            "bucket": location.bucket,
            "key": location.key,
            "members": dict(members),
            "algorithm": algorithm,
            "kind": kind,
            "started": self._catalog.now().isoformat(),
            # By which a completion with a condition knows whether the object has changed meanwhile.
            "before": before["number"] if before else 0,
            **more,
        }
        self._store.add(UPLOAD, upload, document)
        return upload

    def record_part(
        self, upload: str, location: S3Location, number: int, blob: Blob, part_checksums: Mapping[str, str]
    ) -> Document:
        """Store a part in place of an earlier one with its number, and return it."""
        content = {"blob": blob.sha256, "size": blob.size, "etag": blob.md5, "checksums": dict(part_checksums)}
        content["modified"] = self._catalog.now().isoformat()
        with self._store.transaction():
            self.get(upload, location)
            before = self._store.find(PART, _name(upload, number))
            part = {"number": number, **content}
            self._store.put(PART, _name(upload, number), part)
            if before is not None:
                self._catalog.blobs.free(before["blob"])
        return part

    def complete(self, upload: str, location: S3Location, asked: Completion) -> Document:
        """Join the parts that the client lists; the upload is over if that succeeds."""
        started = self.get(upload, location)
        checks = UploadChecksums.of(started)
        checks.check_completion(asked)
        parts = self._chosen(upload, asked.parts, checks)
        size = sum(part["size"] for part in parts)
        if asked.size not in (None, size):
            words = f"The provided 'x-amz-mp-object-size' header value {asked.size} does not match what was computed"
            raise bad_request(f"{words}: {size}")
        digest = checks.digest()
        blobs = self._catalog.blobs
        with (
            blobs.pinned(*(part["blob"] for part in parts)),
            blobs.added(self._content(parts, digest)) as blob,
            self._store.transaction(),
        ):
            self.get(upload, location)
            members = {
                **started["members"],
                "etag": _etag(parts),
                "parts": [{name: part[name] for name in ("number", "size", "checksums")} for part in parts],
                "checksums": checks.of_object(parts, digest, asked),
            }
            condition = partial(asked.precondition, at_start=started.get("before", 0))
            body = self._catalog.record(location, blob, condition, **members)
            self.abort(upload, location)
        return body

    def parts(self, upload: str) -> Sequence[Document]:
        """The parts that have come so far, in order."""
        return [entry.body for entry in sorted(self._store.entries(PART, f"{upload}/"), key=lambda entry: entry.name)]

    def in_progress(self, bucket: str) -> Sequence[tuple[str, Document]]:
        """The uploads to a bucket and their ids, in the order of their keys and of their beginnings."""
        entries = [entry for entry in self._store.entries(UPLOAD) if entry.body["bucket"] == bucket]
        ordered = sorted(entries, key=lambda entry: (entry.body["key"].encode(), entry.revision))
        return [(entry.name, entry.body) for entry in ordered]

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
            raise S3Error("NoSuchUpload", f"{message}aborted or completed.", 404, UploadId=upload)
        return document

    def _chosen(self, upload: str, listed: Sequence[ListedPart], checks: UploadChecksums) -> Sequence[Document]:
        """Return the parts that the client lists; S3Error if it may not join them."""
        if not listed:
            raise bad_request("You must specify at least one part")
        if any(first.number >= second.number for first, second in pairwise(listed)):
            message = "The list of parts was not in ascending order. Parts must be ordered by part number."
            raise S3Error("InvalidPartOrder", message, 400, UploadId=upload)
        stored = {part["number"]: part for part in self.parts(upload)}
        for asked in listed:
            checks.check_part(asked)
            if not asked.is_(stored.get(asked.number)):
                raise _invalid_part(upload, asked)
        chosen = [stored[asked.number] for asked in listed]
        for part in chosen[:-1]:
            if part["size"] < _LEAST_PART_BYTES:
                raise _too_small(part)
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


def _invalid_part(upload: str, part: ListedPart) -> S3Error:
    message = (
        "One or more of the specified parts could not be found.  The part may not have been uploaded, "
        "or the specified entity tag may not match the part's entity tag."
    )
    etag = part.etag.strip('"')
    return S3Error("InvalidPart", message, 400, UploadId=upload, PartNumber=str(part.number), ETag=etag)


def _too_small(part: Document) -> S3Error:
    message = "Your proposed upload is smaller than the minimum allowed size"
    details = {"ETag": part["etag"], "PartNumber": str(part["number"]), "ProposedSize": str(part["size"])}
    return S3Error("EntityTooSmall", message, 400, MinSizeAllowed=str(_LEAST_PART_BYTES), **details)
