"""Code that is a folder of this machine: read where it lies, so that a change of it answers the next call.

Who creates a function names it as code in the bucket hot-reload, under the folder's path as key. Lambda's records hold
archives, so what they hold of such a function is an archive with the path in it, and nothing else.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from functools import lru_cache
from pathlib import Path

from pedigree.localaws.http.protocol.errors import ServiceError

BUCKET = "hot-reload"
_MARK = ".folder-of-this-machine"
_LONGEST = 8192
_MOST_FILES = 20_000
_PASSING = "__pycache__"


def archive(path: str) -> bytes:
    """What the records hold of a folder."""
    if not Path(path).is_absolute() or not Path(path).is_dir():
        words = f"{path} is no folder of this machine: the key in the bucket {BUCKET} is the whole path of one"
        raise ServiceError("InvalidParameterValueException", f"{words}.")
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as written:
        written.writestr(zipfile.ZipInfo(_MARK), path)
    return content.getvalue()


def folder(content: bytes) -> Path | None:
    """The folder that an archive stands for; None if it is one of code."""
    return _marked(content) if len(content) <= _LONGEST else None


@lru_cache(maxsize=256)
def _marked(content: bytes) -> Path | None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as written:
            return Path(written.read(_MARK).decode()) if written.namelist() == [_MARK] else None
    except (zipfile.BadZipFile, UnicodeDecodeError):
        return None


def state(path: Path) -> str:
    """What changes whenever a file of a folder does; what Python keeps beside them does not count."""
    seen = hashlib.sha256()
    files = sorted(one for one in path.rglob("*") if _PASSING not in one.parts)
    for one in files[:_MOST_FILES]:
        try:
            found = one.stat()
        except OSError:
            continue  # it has just been removed, or leads nowhere
        seen.update(f"{one.relative_to(path)}\0{found.st_mtime_ns}\0{found.st_size}\n".encode())
    return seen.hexdigest()
