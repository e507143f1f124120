"""The scripts as one archive with an S3 key made from their content: unchanged code keeps its key, and caches hit.

The key is the hash of the uncompressed tar, because compression differs between machines.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from entrypoints import contract
from pedigree import project_root
from steps.build import Code
from steps.site import SiteConfig

_LEFT_OUT = {"__pycache__"}


@dataclass(frozen=True)
class SourceArchive:
    """The files of a folder as an uncompressed tar that depends on their names and contents only."""

    tar: bytes

    @cached_property
    def sha256(self) -> str:
        """The hash of the content."""
        return hashlib.sha256(self.tar).hexdigest()

    @cached_property
    def compressed(self) -> bytes:
        """The content of the upload."""
        return gzip.compress(self.tar, mtime=0)

    def placed(self, site: SiteConfig) -> Code:
        """The archive with its address in a site."""
        return Code(uri=site.uri("code", self.sha256[:16], contract.SOURCE_ARCHIVE), sha256=self.sha256)


def scripts_folder() -> Path:
    """The folder with the scripts of the project's jobs."""
    return project_root.find() / "entrypoints"


def read(folder: Path | None = None) -> SourceArchive:
    """The archive of a folder, or of the project's scripts."""
    folder = folder or scripts_folder()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for path in _files(folder):
            content = path.read_bytes()
            member = tarfile.TarInfo(path.relative_to(folder).as_posix())
            member.size, member.mode = len(content), 0o644
            tar.addfile(member, io.BytesIO(content))
    return SourceArchive(buffer.getvalue())


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*"), key=lambda path: path.relative_to(folder).as_posix()):
        parts = path.relative_to(folder).parts
        if path.is_file() and not any(part.startswith(".") or part in _LEFT_OUT for part in parts):
            yield path
