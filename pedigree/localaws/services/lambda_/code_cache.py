"""A function's code on the disk: unpacked once for each content."""

from __future__ import annotations

import hashlib
import io
import shutil
import tempfile
import zipfile
from pathlib import Path

from pedigree.localaws.http.protocol.errors import ServiceError

_MOST_UNPACKED = 262_144_000
UNREADABLE = "Could not unzip uploaded file. Please check your file, then try to upload again."


class CodeCache:
    """Folders of code, named by what they hold."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def folder(self, digest: str, content: bytes) -> Path:
        """The folder with what an archive holds; it is whole, or not there."""
        target = self._folder / hashlib.sha256(digest.encode()).hexdigest()[:32]
        if not target.exists():
            self._folder.mkdir(parents=True, exist_ok=True)
            arriving = Path(tempfile.mkdtemp(dir=self._folder, prefix=".arriving-"))
            try:
                unpack(content, arriving)
                arriving.chmod(0o755)
                arriving.rename(target)
            except OSError:
                if not target.exists():  # another call may have been quicker
                    raise
            finally:
                shutil.rmtree(arriving, ignore_errors=True)
        return target


def unpack(content: bytes, folder: Path) -> None:
    """Unpack an archive, with the rights that it gives its files."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            _check(archive)
            for entry in archive.infolist():
                path = Path(archive.extract(entry, folder))
                rights = (entry.external_attr >> 16) & 0o777
                if rights and not entry.is_dir():
                    path.chmod(rights | 0o400)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError):
        raise ServiceError("InvalidParameterValueException", UNREADABLE) from None


def check(content: bytes) -> None:
    """Refuse what is no archive, or too large a one."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            _check(archive)
    except (zipfile.BadZipFile, NotImplementedError, ValueError):
        raise ServiceError("InvalidParameterValueException", UNREADABLE) from None


def _check(archive: zipfile.ZipFile) -> None:
    if sum(entry.file_size for entry in archive.infolist()) > _MOST_UNPACKED:
        raise ServiceError(
            "InvalidParameterValueException", f"Unzipped size must be smaller than {_MOST_UNPACKED} bytes"
        )
