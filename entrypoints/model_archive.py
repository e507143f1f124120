"""model.tar.gz: unpacks it as if an attacker had made it, and packs the same content into the same bytes.

A candidate's archive comes from a bucket. It may contain only plain files and folders below the target folder, each
once, with limits on their total size, number and depth. Everything else is refused before it is written: links,
devices, sparse files, names that lead elsewhere, and archives that expand too much. Owners, modes and times are
ignored.
"""

from __future__ import annotations

import errno
import gzip
import shutil
import tarfile
import zlib
from pathlib import Path, PurePosixPath

import atomic_files
from errors import DataError, WriteError

MAX_BYTES = 8 * 1024**3
MAX_ENTRIES = 1000  # files, and the folders that their names imply
MAX_DEPTH = 16
# Weights hardly compress: zlib needs more than a second for 45 MB of them, and leaves 42.
_STORED = 0
# An archive that expands more than this was made to fill a disk.
MAX_EXPANSION = 100
_ALLOWANCE = 64 * 1024**2
_CHUNK_SIZE = 1024**2
_FILE_MODE = 0o644
# Errors that are not the archive's fault.
_DISK_ERRNOS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)


def unpack(archive: Path, folder: Path) -> None:
    """Unpacks an archive into a new folder; raises DataError if the archive is invalid."""
    try:
        limit = min(MAX_BYTES, _ALLOWANCE + MAX_EXPANSION * archive.stat().st_size)
        folder.mkdir(parents=True)
        with gzip.open(archive) as content:
            stream = _ForwardReader(content, limit)
            _unpack_members(stream, folder)
            stream.read_to_end()
    except DataError as error:
        raise error.about(archive) from None
    # tarfile and zlib raise many types for invalid input, RecursionError and OverflowError among them.
    except (OSError, EOFError, ValueError, OverflowError, RecursionError, tarfile.TarError, zlib.error) as error:
        if isinstance(error, OSError) and error.errno in _DISK_ERRNOS:
            raise WriteError(
                f"{archive} cannot be unpacked in {folder.parent} ({error.strerror})",
                "make room there, or name another folder with TMPDIR",
            ) from None
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise DataError(f"{archive} cannot be read as a .tar.gz ({reason})", "use what training wrote") from None


def pack(folder: Path, archive: Path) -> None:
    """Packs the files of a folder with names and contents only, so that the same content gives the same bytes."""
    with (
        atomic_files.open_atomically(archive) as file,
        gzip.GzipFile(filename="", fileobj=file, mode="wb", compresslevel=_STORED, mtime=0) as compressed,
        tarfile.open(fileobj=compressed, mode="w|", format=tarfile.PAX_FORMAT) as tar,
    ):
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            member = tarfile.TarInfo(path.relative_to(folder).as_posix())
            member.size, member.mode = path.stat().st_size, _FILE_MODE
            with path.open("rb") as content:
                tar.addfile(member, content)


class _ForwardReader:
    """A stream for tarfile that can only be read forward, in small chunks, and up to a limit.

    Otherwise tarfile would read a header of any size into memory, and seek back in a loop for a negative size.
    """

    def __init__(self, stream: gzip.GzipFile, limit: int) -> None:
        self._stream, self._limit, self._position = stream, limit, 0

    def read(self, size: int) -> bytes:
        if not 0 <= size <= _CHUNK_SIZE:
            raise DataError(f"has a header of {size} bytes", "use what training wrote")
        data = self._stream.read(size)
        self._position += len(data)
        if self._position > self._limit:
            raise DataError(
                f"holds more than {self._limit} bytes, much more than weights expand to", "use what training wrote"
            )
        return data

    def tell(self) -> int:
        return self._position

    def seek(self, position: int) -> None:
        if position < self._position:
            raise DataError("seeks backwards", "use what training wrote")
        while self._position < position and self.read(min(_CHUNK_SIZE, position - self._position)):
            pass

    def read_to_end(self) -> None:
        """Reads the rest: gzip's checksum is at the end."""
        while self.read(_CHUNK_SIZE):
            pass


def _unpack_members(stream: _ForwardReader, folder: Path) -> None:
    entries: set[PurePosixPath] = set()
    with tarfile.TarFile(fileobj=stream) as tar:  # type: ignore[arg-type]
        for number, member in enumerate(tar):
            name = _member_path(member)
            entries.update((name, *name.parents))
            if max(number, len(entries) - 1) >= MAX_ENTRIES:
                raise DataError(f"has more than {MAX_ENTRIES} files and folders", "use what training wrote")
            _unpack_member(tar, member, folder.joinpath(*name.parts))


def _member_path(member: tarfile.TarInfo) -> PurePosixPath:
    name = PurePosixPath(member.name)
    if name.is_absolute() or ".." in name.parts or "\\" in member.name or ":" in member.name:
        raise DataError(f"has a member outside of its folder: {member.name!r}", "use what training wrote")
    if len(name.parts) > MAX_DEPTH:
        raise DataError(f"has a member in more than {MAX_DEPTH} folders", "use what training wrote")
    return name


def _unpack_member(tar: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> None:
    if member.isdir():
        target.mkdir(parents=True, exist_ok=True)
        return
    source = tar.extractfile(member) if member.isreg() and not member.issparse() else None
    if source is None:
        raise DataError(f"has a member that is not a plain file: {member.name!r}", "use what training wrote")
    if target.exists():
        raise DataError(f"has {member.name!r} more than once", "use what training wrote")
    target.parent.mkdir(parents=True, exist_ok=True)
    with source, target.open("xb") as file:
        shutil.copyfileobj(source, file, _CHUNK_SIZE)
    if target.stat().st_size != member.size:
        raise DataError(f"ends within {member.name!r}", "fetch it again")
