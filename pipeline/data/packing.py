"""Packs pictures into one zip that depends on their names and contents only, as a stream: nothing is written to a disk.

A zip of the user stays as it is. Either way the name in S3 is made from the content, so that the same pictures are
uploaded once and every cache hits.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile

from pedigree.account.plan import Stream
from pipeline.data.errors import DataSetError
from pipeline.data.inspection import Inspection
from pipeline.zip_member import member

ROOT = "images"
_CHUNK = 1 << 20
_KEY_DIGITS = 32
Report = Callable[[int], None]


@dataclass(frozen=True)
class PicturesZip:
    """The zip of a data set: its hash, its size, and a function that opens it."""

    sha256: str
    size: int
    pictures: int
    content: Callable[[], Stream]

    @property
    def name(self) -> str:
        """The name of the object in S3."""
        return f"{self.sha256[:_KEY_DIGITS]}.zip"

    def open(self) -> Stream:
        """The content, which must still be what was hashed."""
        return _Unchanged(self.content(), self.sha256)


def pack(inspection: Inspection, report: Report) -> PicturesZip:
    """The package of a folder's pictures, or of a zip as it is; reports the bytes of each piece that was read."""
    path, names = inspection.path, inspection.pictures

    def content() -> Stream:
        return path.open("rb") if path.is_file() else _ZipStream(path, names)

    digest, size = hashlib.sha256(), 0
    for chunk in _chunks(content()):
        digest.update(chunk)
        size += len(chunk)
        report(len(chunk))
    return PicturesZip(digest.hexdigest(), size, len(names), content)


def total_bytes(inspection: Inspection) -> int:
    """How much there is to read."""
    path = inspection.path
    files = [path] if path.is_file() else [path / name for name in inspection.pictures]
    return sum(file.stat().st_size for file in files if file.exists())


def member_names(names: Sequence[str]) -> dict[str, str]:
    """The names in the zip, below one folder: composed characters for those that macOS writes decomposed.

    A backslash would become a folder when the zip is read.
    """
    plain = {name: unicodedata.normalize("NFC", name).replace("\\", "_") for name in names}
    taken = Counter(plain.values())
    members = {plain[name] if taken[plain[name]] == 1 else name: name for name in names}
    return {f"{ROOT}/{member_name}": members[member_name] for member_name in sorted(members)}


class _ZipStream:
    """A zip of files, made while it is read."""

    def __init__(self, folder: Path, names: Sequence[str]) -> None:
        self._pieces, self._rest = _zipped(folder, names), b""

    def read(self, count: int = -1, /) -> bytes:
        wanted = [self._rest]
        length = len(self._rest)
        while count < 0 or length < count:
            piece = next(self._pieces, None)
            if piece is None:
                break
            wanted.append(piece)
            length += len(piece)
        content = b"".join(wanted)
        end = len(content) if count < 0 else count
        self._rest = content[end:]
        return content[:end]

    def close(self) -> None:
        self._pieces = iter(())


class _Unchanged:
    """A stream that fails at its end, and so is never taken for complete, if it is not what was hashed."""

    def __init__(self, stream: Stream, sha256: str) -> None:
        self._stream, self._sha256, self._digest = stream, sha256, hashlib.sha256()
        self._next = self._read(_CHUNK)

    def read(self, count: int = -1, /) -> bytes:
        """Reads one piece ahead, so that the last piece is returned only if the whole is right."""
        pieces = [self._next]
        while (count < 0 or sum(map(len, pieces)) < count) and pieces[-1]:
            pieces.append(self._read(_CHUNK))
        content = b"".join(pieces)
        end = len(content) if count < 0 else count
        self._next = content[end:] or self._read(_CHUNK)
        return content[:end]

    def close(self) -> None:
        self._stream.close()

    def _read(self, count: int) -> bytes:
        piece = self._stream.read(count)
        self._digest.update(piece)
        if not piece and self._digest.hexdigest() != self._sha256:
            raise DataSetError("the pictures have changed while they were read", "run it again")
        return piece


class _Sink:
    """Takes what ZipFile writes; a file without positions, so that the zip can be read while it is made."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []

    def write(self, piece: bytes) -> int:
        self.pieces.append(bytes(piece))
        return len(piece)

    def flush(self) -> None:
        """Does nothing: pieces are taken as they come."""

    def taken(self) -> bytes:
        content, self.pieces = b"".join(self.pieces), []
        return content


def _zipped(folder: Path, names: Sequence[str]) -> Iterator[bytes]:
    sink = _Sink()
    with ZipFile(sink, "w", ZIP_STORED) as archive:  # type: ignore[call-overload]  # all that ZipFile calls is there
        for name, file in member_names(names).items():
            archive.writestr(member(name), _content(folder / file))
            yield sink.taken()
    yield sink.taken()


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataSetError(f"{path} cannot be read: {error.strerror}", "check it, and run this again") from None


def _chunks(stream: Stream) -> Iterator[bytes]:
    try:
        while chunk := stream.read(_CHUNK):
            yield chunk
    finally:
        stream.close()
