"""model.tar.gz: unpacked as if an attacker had made it, packed the same for the same content.

A candidate's archive comes out of a bucket. What can be in one: plain files and folders below the folder that it is
unpacked into, each once, of bounded size together. Everything else is refused before it is written: links, devices,
sparse files, names that lead elsewhere, and archives that grow out of proportion. Nothing of owners, modes or times is
taken over.
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

MOST_BYTES = 8 * 1024**3
MOST_MEMBERS = 1000
# Weights hardly shrink; what shrinks more than this was made to fill a disk.
MOST_GROWTH = 100
_ALLOWANCE = 64 * 1024**2
_CHUNK = 1024**2
_MODE = 0o644
# What no archive is to blame for.
_OF_THE_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)


def unpack(archive: Path, folder: Path) -> None:
    """Unpack an archive into a new folder; DataError says what is wrong with it."""
    try:
        most = min(MOST_BYTES, _ALLOWANCE + MOST_GROWTH * archive.stat().st_size)
        folder.mkdir(parents=True)
        with gzip.open(archive) as content:
            stream = _Forward(content, most)
            _unpack_all(stream, folder)
            stream.finish()
    except DataError as error:
        raise DataError(f"{archive} {error}") from None
    # tarfile and zlib raise much when they are fed on nonsense: recursion and overflow among it.
    except (OSError, EOFError, ValueError, OverflowError, RecursionError, tarfile.TarError, zlib.error) as error:
        if isinstance(error, OSError) and error.errno in _OF_THE_DISK:
            raise WriteError(
                f"{archive} cannot be unpacked in {folder.parent} ({error.strerror}); "
                "make room there, or name another folder with TMPDIR"
            ) from None
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise DataError(f"{archive} cannot be read as a .tar.gz ({reason}); use what training wrote") from None


def pack(folder: Path, archive: Path) -> None:
    """Pack the files of a folder: names and contents only, so that the same content gives the same bytes."""
    with (
        atomic_files.whole(archive) as file,
        # Weights hardly shrink: more effort only takes longer.
        gzip.GzipFile(filename="", fileobj=file, mode="wb", compresslevel=1, mtime=0) as compressed,
        tarfile.open(fileobj=compressed, mode="w|", format=tarfile.PAX_FORMAT) as tar,
    ):
        for path in sorted(one for one in folder.rglob("*") if one.is_file()):
            member = tarfile.TarInfo(path.relative_to(folder).as_posix())
            member.size, member.mode = path.stat().st_size, _MODE
            with path.open("rb") as content:
                tar.addfile(member, content)


class _Forward:
    """A stream that is read once, forward, in small pieces, and not too far: what tarfile gets instead of a file.

    tarfile would read a header of any size into memory, and seek back in a loop where a size is negative.
    """

    def __init__(self, stream: gzip.GzipFile, most: int) -> None:
        self._stream, self._most, self._position = stream, most, 0

    def read(self, size: int) -> bytes:
        if not 0 <= size <= _CHUNK:
            raise DataError(f"has a header of {size} bytes; use what training wrote")
        data = self._stream.read(size)
        self._position += len(data)
        if self._position > self._most:
            raise DataError(f"holds more than {self._most} bytes; it grows as no weights do, use what training wrote")
        return data

    def tell(self) -> int:
        return self._position

    def seek(self, position: int) -> None:
        if position < self._position:
            raise DataError("points back into itself; use what training wrote")
        while self._position < position and self.read(min(_CHUNK, position - self._position)):
            pass

    def finish(self) -> None:
        """Read to the end: only there is the checksum."""
        while self.read(_CHUNK):
            pass


def _unpack_all(stream: _Forward, folder: Path) -> None:
    with tarfile.TarFile(fileobj=stream) as tar:  # type: ignore[arg-type]
        for number, member in enumerate(tar):
            if number >= MOST_MEMBERS:
                raise DataError(f"has more than {MOST_MEMBERS} members; use what training wrote")
            _unpack_one(tar, member, folder)


def _unpack_one(tar: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    name = PurePosixPath(member.name)
    if name.is_absolute() or ".." in name.parts or "\\" in member.name or ":" in member.name:
        raise DataError(f"has a member that leads elsewhere: {member.name!r}; use what training wrote")
    target = folder.joinpath(*name.parts)
    if member.isdir():
        target.mkdir(parents=True, exist_ok=True)
        return
    source = tar.extractfile(member) if member.isreg() and not member.issparse() else None
    if source is None:
        raise DataError(f"has a member that is no plain file: {member.name!r}; use what training wrote")
    if target.exists():
        raise DataError(f"has {member.name!r} more than once; use what training wrote")
    target.parent.mkdir(parents=True, exist_ok=True)
    with source, target.open("xb") as file:
        shutil.copyfileobj(source, file, _CHUNK)
    if target.stat().st_size != member.size:
        raise DataError(f"ends within {member.name!r}; fetch it again")
