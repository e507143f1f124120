"""Contents, each kept once, as a file that is named after its hash and never changes.

A content is written beside its place and moved there when it is on the disk, so a file that has its name is whole.
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
    """A content: its name, its size, and its MD5, which S3 calls ETag."""

    sha256: str
    size: int
    md5: str


class BlobStore:
    """A folder of contents."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._beside = folder / "arriving"
        shutil.rmtree(self._beside, ignore_errors=True)  # what never arrived
        self._beside.mkdir(parents=True, exist_ok=True)

    def path(self, sha256: str) -> Path:
        """Where a content lies."""
        return self._folder / sha256[:2] / sha256

    def add(self, chunks: Iterable[bytes]) -> Blob:
        """Keep a content that comes in pieces."""
        sha256, md5, size = hashlib.sha256(), hashlib.md5(usedforsecurity=False), 0
        handle, name = tempfile.mkstemp(dir=self._beside)
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
            place = self.path(blob.sha256)
            place.parent.mkdir(exist_ok=True)
            Path(name).chmod(0o444)
            Path(name).replace(place)
        finally:
            Path(name).unlink(missing_ok=True)
        return blob

    def add_file(self, path: Path) -> Blob:
        """Keep the content of a file."""
        with path.open("rb") as file:
            return self.add(iter(lambda: file.read(_CHUNK), b""))

    def link(self, sha256: str, target: Path, *, is_shared: bool = True) -> None:
        """Put a content where somebody wants it: the same file where that is safe and the disk allows it, else a copy.

        Who may write to every file, as root may, could change what is kept by changing the link.
        """
        source = self.path(sha256)
        target.parent.mkdir(parents=True, exist_ok=True)
        if not is_shared or os.access(source, os.W_OK) or not _linked(source, target):
            shutil.copyfile(source, target)


def _linked(source: Path, target: Path) -> bool:
    try:
        os.link(source, target)
    except OSError:
        return False
    return True
