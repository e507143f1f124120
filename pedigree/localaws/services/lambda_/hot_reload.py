"""Code that is read from a folder of this machine, so that the next invocation runs what was just changed.

A function is created with code in the bucket hot-reload and the folder's path as key. moto's state holds archives;
for such a function it holds an archive with nothing but the path in it.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from functools import lru_cache
from pathlib import Path

from pedigree.archives import ArchiveError, ArchiveLimits, read_only_entry
from pedigree.localaws.http.protocol.errors import ServiceError

BUCKET = "hot-reload"
_PATH_ENTRY = ".folder-of-this-machine"
_MAX_ARCHIVE_BYTES = 8192
_MAX_FILES = 20_000
_BYTECODE_FOLDER = "__pycache__"


def archive_path(path: str) -> bytes:
    """Return the archive that stands for a folder."""
    if not Path(path).is_absolute() or not Path(path).is_dir():
        message = f"{path} is not a folder of this machine: the key in the bucket {BUCKET} is an absolute path"
        raise ServiceError("InvalidParameterValueException", f"{message}.")
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr(zipfile.ZipInfo(_PATH_ENTRY), path)
    return content.getvalue()


def find_folder(content: bytes) -> Path | None:
    """Return the folder that an archive stands for, or None if the archive holds code."""
    return _read_path(content) if len(content) <= _MAX_ARCHIVE_BYTES else None


@lru_cache(maxsize=256)
def _read_path(content: bytes) -> Path | None:
    try:
        path = read_only_entry(io.BytesIO(content), _PATH_ENTRY, ArchiveLimits(_MAX_ARCHIVE_BYTES))
    except ArchiveError:
        return None
    return Path(path.decode()) if path is not None else None


def fingerprint(folder: Path) -> str:
    """Return a hash that changes whenever a file of a folder does; Python's bytecode does not count."""
    digest = hashlib.sha256()
    files = sorted(path for path in folder.rglob("*") if _BYTECODE_FOLDER not in path.parts)
    for path in files[:_MAX_FILES]:
        try:
            status = path.stat()
        except OSError:
            continue  # it has just been removed, or is a broken link
        digest.update(f"{path.relative_to(folder)}\0{status.st_mtime_ns}\0{status.st_size}\n".encode())
    return digest.hexdigest()
