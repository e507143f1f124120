"""A function's code on the disk: unpacked once for each archive."""

from __future__ import annotations

import hashlib
import io
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pedigree.archives import ArchiveError, ArchiveLimits, ArchiveTooLargeError, check_zip, unpack_zip
from pedigree.localaws.http.protocol.errors import ServiceError

_MAX_UNPACKED_BYTES = 262_144_000
_LIMITS = ArchiveLimits(_MAX_UNPACKED_BYTES, entries=100_000)
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
    with _refusals():
        unpack_zip(io.BytesIO(content), folder, _LIMITS)


def check_archive(content: bytes) -> None:
    """Refuse content that is not a zip archive, that is damaged or that is too large."""
    with _refusals():
        check_zip(io.BytesIO(content), _LIMITS)


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except ArchiveTooLargeError as error:
        message = f"Unzipped size must be smaller than {_MAX_UNPACKED_BYTES} bytes ({error})"
        raise ServiceError("InvalidParameterValueException", message) from None
    except ArchiveError as error:
        raise ServiceError("InvalidParameterValueException", f"{UNREADABLE} ({error})") from None
