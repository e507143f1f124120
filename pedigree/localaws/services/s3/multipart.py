"""Objects that come in parts: begun, part by part, and put together in the end."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pedigree.localaws.http.protocol.s3_errors import ObjectsError
from pedigree.localaws.kernel.store import Document, Store
from pedigree.localaws.services.s3.catalog import ObjectCatalog, S3Location

UPLOAD = "upload"
PART = "upload-part"


class MultipartUploads:
    """Uploads that are under way."""

    def __init__(self, store: Store, catalog: ObjectCatalog) -> None:
        self._store = store
        self._catalog = catalog

    def begin(self, place: S3Location, members: Mapping[str, Any]) -> str:
        """Begin one; its id."""
        upload = uuid.uuid4().hex
        self._store.add(UPLOAD, upload, {"bucket": place.bucket, "key": place.key, "members": dict(members)})
        return upload

    def add(self, upload: str, number: int, chunks: Iterable[bytes]) -> str:
        """Keep a part; its ETag."""
        self.get(upload)
        blob = self._catalog.blobs.add(chunks)
        part = {"number": number, "blob": blob.sha256, "size": blob.size, "etag": blob.md5}
        self._store.put(PART, f"{upload}/{number:05d}", part)
        return blob.md5

    def complete(self, upload: str, wanted: Sequence[tuple[int, str]]) -> Document:
        """Put the parts together as the client lists them."""
        begun = self.get(upload)
        parts = {part["number"]: part for part in self.parts(upload)}
        for number, etag in wanted:
            if number not in parts or parts[number]["etag"] != etag.strip('"'):
                raise ObjectsError("InvalidPart", f"Part {number} was not uploaded, or has another entity tag.", 400)
        chosen = [parts[number] for number, _ in wanted]
        whole = hashlib.md5(b"".join(bytes.fromhex(part["etag"]) for part in chosen), usedforsecurity=False)
        members = {**begun["members"], "etag": f"{whole.hexdigest()}-{len(chosen)}"}
        kept = self._catalog.put(S3Location(begun["bucket"], begun["key"]), self._content(chosen), **members)
        self.abandon(upload)
        return kept

    def abandon(self, upload: str) -> None:
        """Forget an upload and its parts."""
        with self._store.transaction():
            self.get(upload)
            for entry in self._store.entries(PART, f"{upload}/"):
                self._store.remove(PART, entry.name)
            self._store.remove(UPLOAD, upload)

    def get(self, upload: str) -> Document:
        """An upload that is under way."""
        found = self._store.find(UPLOAD, upload)
        if found is None:
            raise ObjectsError("NoSuchUpload", "The specified upload does not exist.", 404)
        return found

    def parts(self, upload: str) -> list[Document]:
        """The parts that have come, by number."""
        parts = [entry.body for entry in self._store.entries(PART, f"{upload}/")]
        return sorted(parts, key=lambda part: int(part["number"]))

    def _content(self, parts: Iterable[Document]) -> Iterator[bytes]:
        for part in parts:
            with self._catalog.blobs.path(part["blob"]).open("rb") as file:
                yield from iter(lambda: file.read(1 << 20), b"")  # read before the next part is opened
