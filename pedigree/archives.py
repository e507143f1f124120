"""Reads zips and tars that anybody may have made: in pieces, against limits, whatever their headers say.

A file of a kilobyte can expand to gigabytes, have a hundred thousand folders in its names, or lie about its sizes.
So only the methods that cannot expand without bound at once are read (stored and deflated, gzip), and every byte and
entry is counted as it comes.
"""

from __future__ import annotations

import errno
import gzip
import os
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO

_PIECE = 1 << 20
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 0x1
_GZIP = b"\x1f\x8b"
_FILE_ERRORS = (FileExistsError, IsADirectoryError, NotADirectoryError)


class ArchiveError(ValueError):
    """An archive that cannot be read."""


class ArchiveTooLargeError(ArchiveError):
    """An archive that exceeds a limit."""


@dataclass(frozen=True)
class ArchiveLimits:
    """How much may come out of an archive: bytes in all, files and folders, folders above a file."""

    total_bytes: int
    entries: int = 20_000
    depth: int = 32


class _Counter:
    """Counts what comes out of an archive."""

    def __init__(self, limits: ArchiveLimits) -> None:
        self._limits = limits
        self._bytes = 0
        self._files: set[PurePosixPath] = set()
        self._folders: set[PurePosixPath] = set()

    def add_bytes(self, count: int) -> None:
        self._bytes += count
        if self._bytes > self._limits.total_bytes:
            raise ArchiveTooLargeError(f"it expands to more than {self._limits.total_bytes} bytes")

    def add_entry(self, name: str, *, is_folder: bool) -> PurePosixPath:
        """The path of an entry; the folders that it implies count as well, and no other entry may have its place."""
        path = PurePosixPath(name)
        parts = path.parts
        if path.is_absolute() or ".." in parts or "\0" in name:
            raise ArchiveError(f"it has an entry outside of its folder: {name!r:.80}")
        if len(parts) > self._limits.depth:
            raise ArchiveTooLargeError(f"it has more than {self._limits.depth} folders in each other")
        is_taken = path in self._files or not self._files.isdisjoint(path.parents)
        if is_taken or (path in self._folders and not is_folder):
            raise ArchiveError(f"it has two entries in one place: {name!r:.80}")
        (self._folders if is_folder else self._files).add(path)
        self._folders.update(path.parents)
        if len(self._files) + len(self._folders) > self._limits.entries:
            raise ArchiveTooLargeError(f"it has more than {self._limits.entries} files and folders")
        return path


def check_zip(file: IO[bytes], limits: ArchiveLimits) -> None:
    """Read a zip to its end; ArchiveError if it cannot be read or exceeds a limit."""
    counter = _Counter(limits)
    with _opened_zip(file, limits) as archive:
        for entry in archive.infolist():
            counter.add_entry(_name(entry), is_folder=entry.is_dir())
            for _ in _pieces(archive, entry, counter):
                pass


def unpack_zip(file: IO[bytes], folder: Path, limits: ArchiveLimits) -> None:
    """Unpack a zip into a folder, with the permissions of its files; ArchiveError as in check_zip."""
    counter = _Counter(limits)
    with _opened_zip(file, limits) as archive, _file_errors():
        for entry in archive.infolist():
            target = folder / counter.add_entry(_name(entry), is_folder=entry.is_dir())
            if entry.is_dir():
                target.mkdir(parents=True, exist_ok=True)
                continue
            _write(target, _pieces(archive, entry, counter))
            permissions = (entry.external_attr >> 16) & 0o777
            if permissions:
                target.chmod(permissions | 0o400)


def read_only_entry(file: IO[bytes], name: str, limits: ArchiveLimits) -> bytes | None:
    """The content of a zip's only entry; None if it has another name, or is not alone."""
    with _opened_zip(file, limits) as archive:
        entries = archive.infolist()
        if [entry.filename for entry in entries] != [name]:
            return None
        return b"".join(_pieces(archive, entries[0], _Counter(limits)))


def unpack_tar(file: IO[bytes], folder: Path, limits: ArchiveLimits) -> int:
    """Unpack a tar or a tar.gz into a folder, and return how many files and links it has.

    Links are made after all files, and no entry may lie behind one; they lead to entries of the archive only.
    """
    links: list[tuple[Path, str]] = []
    count = 0
    with _file_errors():
        for member, path, content in _tar_members(file, limits):
            target = folder / path
            if member.isdir():
                target.mkdir(parents=True, exist_ok=True)
            elif member.issym():
                links.append((target, _link_target(path, member.linkname)))
            elif content is None:
                raise ArchiveError(f"it has an entry that is no file, folder or link: {member.name!r:.80}")
            else:
                _write(target, iter(partial(content.read, _PIECE), b""))
                target.chmod(0o644 | member.mode & 0o111)
            count += not member.isdir()
        for target, leads_to in links:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to(leads_to)
    return count


def tar_files(file: IO[bytes], limits: ArchiveLimits, suffix: str, most_bytes: int) -> Iterator[tuple[str, bytes]]:
    """The names and contents of the files with a suffix in a tar or a tar.gz, without those of more bytes."""
    for member, path, content in _tar_members(file, limits):
        if content is not None and member.name.endswith(suffix) and member.size <= most_bytes:
            yield path.as_posix(), content.read()


@contextmanager
def _opened_zip(file: IO[bytes], limits: ArchiveLimits) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
            if sum(entry.file_size for entry in entries) > limits.total_bytes:
                raise ArchiveTooLargeError(f"it expands to more than {limits.total_bytes} bytes")
            yield archive
    except ArchiveError:
        raise
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise ArchiveError(f"it cannot be read as a zip: {error}") from None


def _name(entry: zipfile.ZipInfo) -> str:
    if entry.compress_type not in _METHODS:
        raise ArchiveError(f"{entry.filename!r:.80} is not packed with deflate")
    if entry.flag_bits & _ENCRYPTED:
        raise ArchiveError(f"{entry.filename!r:.80} is encrypted")
    return entry.filename


def _pieces(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, counter: _Counter) -> Iterator[bytes]:
    _name(entry)
    with archive.open(entry) as content:
        while piece := content.read(_PIECE):
            counter.add_bytes(len(piece))
            yield piece


def _write(target: Path, pieces: Iterator[bytes]) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as file:
        for piece in pieces:
            file.write(piece)


@contextmanager
def _file_errors() -> Iterator[None]:
    """Names that no folder can hold together, or that are too long, are the archive's fault."""
    try:
        yield
    except OSError as error:
        if isinstance(error, _FILE_ERRORS) or error.errno == errno.ENAMETOOLONG:
            raise ArchiveError(f"it has names that cannot be unpacked: {error.strerror}") from None
        raise


class _TarStream:
    """A stream for tarfile that is read forward only, in pieces, and counted.

    Otherwise tarfile would read a header of any size into memory, and seek back in a loop for a negative size.
    """

    def __init__(self, stream: IO[bytes] | gzip.GzipFile, counter: _Counter) -> None:
        self._stream, self._counter, self._position = stream, counter, 0

    def read(self, size: int) -> bytes:
        if not 0 <= size <= _PIECE:
            raise ArchiveTooLargeError(f"it has a header of {size} bytes")
        piece = self._stream.read(size)
        self._position += len(piece)
        self._counter.add_bytes(len(piece))
        return piece

    def tell(self) -> int:
        return self._position

    def seek(self, position: int) -> None:
        if position < self._position:
            raise ArchiveError("it seeks backwards")
        while self._position < position and self.read(min(_PIECE, position - self._position)):
            pass


def _tar_members(
    file: IO[bytes], limits: ArchiveLimits
) -> Iterator[tuple[tarfile.TarInfo, PurePosixPath, IO[bytes] | None]]:
    """The members of a tar or a tar.gz, each with its path, and its content if it is a plain file."""
    counter = _Counter(limits)
    is_packed = file.read(len(_GZIP)) == _GZIP
    file.seek(0)
    stream = _TarStream(gzip.GzipFile(fileobj=file) if is_packed else file, counter)
    try:
        with tarfile.TarFile(fileobj=stream) as archive:  # type: ignore[arg-type]
            for number, member in enumerate(archive):
                if number >= limits.entries:
                    raise ArchiveTooLargeError(f"it has more than {limits.entries} entries")
                is_plain = member.isreg() and not member.issparse()
                path = counter.add_entry(member.name, is_folder=member.isdir())
                yield member, path, archive.extractfile(member) if is_plain else None
                archive.members = []  # type: ignore[attr-defined]  # tarfile keeps all of them otherwise
        while stream.read(_PIECE):
            pass  # the checksum of gzip is at the end
    except ArchiveError:
        raise
    except (
        tarfile.TarError,
        zlib.error,
        EOFError,
        RecursionError,
        OverflowError,
        ValueError,
        gzip.BadGzipFile,
    ) as error:
        raise ArchiveError(f"it cannot be read as a tar: {error}") from None


def _link_target(path: PurePosixPath, leads_to: str) -> str:
    """Where a link leads, if that is within the archive whatever other links there are."""
    parts = PurePosixPath(leads_to).parts
    up = next((index for index, part in enumerate(parts) if part != os.pardir), len(parts))
    if not parts or leads_to.startswith("/") or os.pardir in parts[up:] or up > len(path.parts) - 1:
        raise ArchiveError(f"it has a link that leads elsewhere: {leads_to!r:.80}")
    return leads_to
