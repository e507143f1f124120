"""A function's code on the disk: unpacked once for each archive."""

from __future__ import annotations

import hashlib
import io
import shutil
import tempfile
import zipfile
from pathlib import Path

from pedigree.localaws.http.protocol.errors import ServiceError

_MAX_UNPACKED_BYTES = 262_144_000
UNREADABLE = "Could not unzip uploaded file. Please check your file, then try to upload again."


class CodeCache:
    """Folders of unpacked code, named by a hash of the code."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def unpacked(self, digest: str, content: bytes) -> Path:
        """Return the folder with an archive's files; it appears only when it is complete."""
        target = self._folder / hashlib.sha256(digest.encode()).hexdigest()[:32]
        if not target.exists():
            self._folder.mkdir(parents=True, exist_ok=True)
            temporary = Path(tempfile.mkdtemp(dir=self._folder, prefix=".arriving-"))
            try:
                unpack(content, temporary)
                temporary.chmod(0o755)
                temporary.rename(target)
            except OSError:
                if not target.exists():  # another invocation may have been faster
                    raise
            finally:
                shutil.rmtree(temporary, ignore_errors=True)
        return target


def unpack(content: bytes, folder: Path) -> None:
    """Unpack an archive, with the permissions of its entries."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            _check_size(archive)
            for entry in archive.infolist():
                path = Path(archive.extract(entry, folder))
                permissions = (entry.external_attr >> 16) & 0o777
                if permissions and not entry.is_dir():
                    path.chmod(permissions | 0o400)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError):
        raise ServiceError("InvalidParameterValueException", UNREADABLE) from None


def check_archive(content: bytes) -> None:
    """Refuse content that is not a zip archive, or that is too large."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            _check_size(archive)
    except (zipfile.BadZipFile, NotImplementedError, ValueError):
        raise ServiceError("InvalidParameterValueException", UNREADABLE) from None


def _check_size(archive: zipfile.ZipFile) -> None:
    if sum(entry.file_size for entry in archive.infolist()) > _MAX_UNPACKED_BYTES:
        message = f"Unzipped size must be smaller than {_MAX_UNPACKED_BYTES} bytes"
        raise ServiceError("InvalidParameterValueException", message)
