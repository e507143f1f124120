"""Stores each content once, in a file that is named by its hash and never changes.

A content is written to a temporary file and moved when it is on the disk, so a file with its final name is complete.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_CHUNK = 1 << 20


@dataclass(frozen=True)
class Blob:
    """A stored content; S3's ETag is its MD5."""

    sha256: str
    size: int
    md5: str


class BlobStore:
    """A folder of contents."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._temporary = folder / "arriving"
        shutil.rmtree(self._temporary, ignore_errors=True)  # incomplete contents of an earlier daemon
        self._temporary.mkdir(parents=True, exist_ok=True)

    def path(self, sha256: str) -> Path:
        """Return the file of a content."""
        return self._folder / sha256[:2] / sha256

    def add(self, chunks: Iterable[bytes]) -> Blob:
        """Store a content that comes in chunks."""
        sha256, md5, size = hashlib.sha256(), hashlib.md5(usedforsecurity=False), 0
        handle, name = tempfile.mkstemp(dir=self._temporary)
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
            path = self.path(blob.sha256)
            path.parent.mkdir(exist_ok=True)
            Path(name).chmod(0o400)
            Path(name).replace(path)
        finally:
            Path(name).unlink(missing_ok=True)
        return blob

    def add_file(self, path: Path) -> Blob:
        """Store the content of a file."""
        with path.open("rb") as file:
            return self.add(iter(lambda: file.read(_CHUNK), b""))

    def link(self, sha256: str, target: Path, *, is_shared: bool = True) -> None:
        """Place a content at a path: as a hard link where that is safe and possible, otherwise as a copy.

        A link is not safe for a user who may write to every file, as root may: that would change the stored content.
        """
        source = self.path(sha256)
        target.parent.mkdir(parents=True, exist_ok=True)
        if not is_shared or os.access(source, os.W_OK) or not _try_link(source, target):
            shutil.copyfile(source, target)


def _try_link(source: Path, target: Path) -> bool:
    try:
        os.link(source, target)
    except OSError:
        return False
    return True
