"""Multipart uploads: parts are stored one by one, and joined at the end."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pedigree.localaws.http.protocol.s3_errors import S3Error
from pedigree.localaws.kernel.store import Document, Store
from pedigree.localaws.services.s3.catalog import ObjectCatalog, S3Location

UPLOAD = "upload"
PART = "upload-part"


class MultipartUploads:
    """Uploads that are in progress."""

    def __init__(self, store: Store, catalog: ObjectCatalog) -> None:
        self._store = store
        self._catalog = catalog

    def create(self, location: S3Location, members: Mapping[str, Any]) -> str:
        """Start an upload, and return its id."""
        upload = uuid.uuid4().hex
        self._store.add(UPLOAD, upload, {"bucket": location.bucket, "key": location.key, "members": dict(members)})
        return upload

    def put_part(self, upload: str, number: int, chunks: Iterable[bytes]) -> str:
        """Store a part, and return its ETag."""
        self.get(upload)
        blob = self._catalog.blobs.add(chunks)
        part = {"number": number, "blob": blob.sha256, "size": blob.size, "etag": blob.md5}
        self._store.put(PART, f"{upload}/{number:05d}", part)
        return blob.md5

    def complete(self, upload: str, listed: Sequence[tuple[int, str]]) -> Document:
        """Join the parts that the client lists."""
        started = self.get(upload)
        parts = {part["number"]: part for part in self.parts(upload)}
        for number, etag in listed:
            if number not in parts or parts[number]["etag"] != etag.strip('"'):
                raise S3Error("InvalidPart", f"Part {number} was not uploaded, or has another entity tag.", 400)
        chosen = [parts[number] for number, _ in listed]
        digest = hashlib.md5(b"".join(bytes.fromhex(part["etag"]) for part in chosen), usedforsecurity=False)
        members = {**started["members"], "etag": f"{digest.hexdigest()}-{len(chosen)}"}
        body = self._catalog.put(S3Location(started["bucket"], started["key"]), self._content(chosen), **members)
        self.abort(upload)
        return body

    def abort(self, upload: str) -> None:
        """Remove an upload and its parts."""
        with self._store.transaction():
            self.get(upload)
            for entry in self._store.entries(PART, f"{upload}/"):
                self._store.remove(PART, entry.name)
            self._store.remove(UPLOAD, upload)

    def get(self, upload: str) -> Document:
        """Return an upload in progress."""
        document = self._store.find(UPLOAD, upload)
        if document is None:
            raise S3Error("NoSuchUpload", "The specified upload does not exist.", 404)
        return document

    def parts(self, upload: str) -> list[Document]:
        """Return the stored parts, by number."""
        parts = [entry.body for entry in self._store.entries(PART, f"{upload}/")]
        return sorted(parts, key=lambda part: int(part["number"]))

    def _content(self, parts: Iterable[Document]) -> Iterator[bytes]:
        for part in parts:
            with self._catalog.blobs.path(part["blob"]).open("rb") as file:
                yield from iter(lambda: file.read(1 << 20), b"")  # read before the next part is opened
