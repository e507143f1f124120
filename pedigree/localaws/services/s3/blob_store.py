"""Stores each content once, in a file that is named by its hash, never changes, and goes with its last object.

A content is written to a temporary file and moved when it is on the disk, so a file with its final name is complete.
A content that has just come belongs to no object yet; as long as it is pinned, it stays. Whoever has a file open reads
it to its end, even if it is removed meanwhile.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pedigree.localaws.http.payload import Payload
from pedigree.localaws.kernel.store import Document, MemberIndex, Store

PIECE = 256 << 10
OBJECT = "object"
VERSION = "object-version"
PART = "upload-part"
_CONTENTS = MemberIndex("blob", (OBJECT, VERSION, PART))
_NAME_CHARACTERS = 64


@dataclass(frozen=True)
class Blob:
    """A stored content; S3's ETag is its MD5."""

    sha256: str
    size: int
    md5: str


class BlobStore:
    """A folder of contents; the store has the documents of what they belong to."""

    def __init__(self, folder: Path, store: Store) -> None:
        self._folder = folder
        self._store = store
        self._lock = threading.Lock()
        self._pins: Counter[str] = Counter()
        self.arriving = folder / "arriving"
        shutil.rmtree(self.arriving, ignore_errors=True)  # incomplete contents of an earlier daemon
        self.arriving.mkdir(parents=True, exist_ok=True)
        store.create_index(_CONTENTS)

    def path(self, sha256: str) -> Path:
        """Return the file of a content."""
        return self._folder / sha256[:2] / sha256

    @contextmanager
    def added(self, chunks: Iterable[bytes]) -> Iterator[Blob]:
        """Store a content that comes in chunks. It is gone at the end of the block if nothing belongs to it by then."""
        sha256, md5, size = hashlib.sha256(), hashlib.md5(usedforsecurity=False), 0
        handle, name = tempfile.mkstemp(dir=self.arriving)
        try:
            with os.fdopen(handle, "wb") as file:
                for chunk in chunks:
                    file.write(chunk)
                    sha256.update(chunk)
                    md5.update(chunk)
                    size += len(chunk)
                file.flush()
                os.fsync(file.fileno())
            blob = Blob(sha256.hexdigest(), size, md5.hexdigest())
            Path(name).chmod(0o400)
            with self.pinned(blob.sha256):
                Path(name).replace(self._target(blob))
                yield blob
        finally:
            Path(name).unlink(missing_ok=True)

    @contextmanager
    def added_payload(self, payload: Payload) -> Iterator[Blob]:
        """Store the body of a request, whose file is moved; it stays under the same condition."""
        blob = Blob(payload.sha256, payload.size, payload.md5)
        with self.pinned(blob.sha256):
            payload.spool.move(self._target(blob))
            yield blob

    @contextmanager
    def pinned(self, *hashes: str) -> Iterator[None]:
        """Keep contents during the block, whatever happens to the objects that they belong to."""
        with self._lock:
            self._pins.update(hashes)
        try:
            yield
        finally:
            with self._lock:
                self._pins.subtract(hashes)
                self._pins = +self._pins
            self.free(*hashes)

    def free(self, *hashes: str) -> None:
        """Remove contents that belong to nothing, as soon as the current transaction is committed."""

        def remove_unused() -> None:
            for sha256 in hashes:
                # No object can take the content meanwhile: that needs a transaction, too.
                with self._store.transaction():
                    if not self._store.has_value(_CONTENTS, sha256):
                        self._remove_unpinned(sha256)

        self._store.after_commit(remove_unused)

    def sweep(self) -> int:
        """Remove the contents that a killed daemon has left without an object, and return how many."""
        names = [path.name for path in self._folder.glob("??/*") if len(path.name) == _NAME_CHARACTERS]
        unused = [name for name in names if not self._store.has_value(_CONTENTS, name)]
        self.free(*unused)
        return len(unused)

    def link(self, body: Document, target: Path, *, is_shared: bool = True) -> None:
        """Place an object's content at a path: as a hard link where that is safe and possible, otherwise as a copy.

        A link is not safe for a user who may write to every file, as root may: that would change the stored content.
        """
        source = self.path(body["blob"])
        target.parent.mkdir(parents=True, exist_ok=True)
        if not is_shared or os.access(source, os.W_OK) or not _try_link(source, target):
            shutil.copyfile(source, target)

    def _target(self, blob: Blob) -> Path:
        path = self.path(blob.sha256)
        path.parent.mkdir(exist_ok=True)
        return path

    def _remove_unpinned(self, sha256: str) -> None:
        with self._lock:
            if not self._pins[sha256]:
                self.path(sha256).unlink(missing_ok=True)


def read_pieces(path: Path) -> Iterator[bytes]:
    """Yield the content of a file."""
    with path.open("rb") as file:
        yield from iter(lambda: file.read(PIECE), b"")


def _try_link(source: Path, target: Path) -> bool:
    try:
        os.link(source, target)
    except OSError:
        return False
    return True
