"""A zip that nobody vouches for, read member by member and never unpacked: nothing in it becomes a path.

What is refused as a whole: names that lead out of the archive, links and devices, members behind a password, two
members of one name, and what grows beyond measure when it is read. A member whose bytes are damaged is a matter of that
member alone.
"""

from __future__ import annotations

import stat
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from errors import DataError
from safe_names import inside

_MEGABYTE = 1 << 20
_GIGABYTE = 1 << 30
_ENCRYPTED = 0x1


@dataclass(frozen=True)
class Limits:
    """How much an archive may hold; below the floor, no ratio is suspicious."""

    members: int = 5_000_000
    member_bytes: int = 256 * _MEGABYTE
    total_bytes: int = 256 * _GIGABYTE
    ratio: int = 100
    ratio_floor: int = 64 * _MEGABYTE


LIMITS = Limits()


class ZipStore:
    """The originals in a zip."""

    def __init__(self, path: Path, limits: Limits = LIMITS) -> None:
        try:
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, NotImplementedError, EOFError, ValueError) as error:
            raise DataError(f"{path.name} is no zip that can be read: {error}; fetch or pack it again") from None
        try:
            self._members = _checked(self._zip.infolist(), path.stat().st_size, limits)
        except DataError as error:
            self.close()
            raise DataError(f"{path.name}: {error}") from None

    def names(self) -> tuple[str, ...]:
        """Every member in order; folders end with a slash."""
        return tuple(sorted(self._members))

    def read(self, name: str) -> bytes:
        """A member's bytes; their number was checked, and no more than that is ever read."""
        try:
            return self._zip.read(self._members[name])
        except Exception as error:  # each method of compression fails in its own way
            raise DataError(f"cannot be read from the archive: {error}; pack it again") from error

    def close(self) -> None:
        """Let go of the file."""
        self._zip.close()


def _checked(infos: Iterable[zipfile.ZipInfo], packed: int, limits: Limits) -> dict[str, zipfile.ZipInfo]:
    members: dict[str, zipfile.ZipInfo] = {}
    for info in infos:
        name = inside(info.filename)
        if name in members:
            raise DataError(f"{name!r} is in it twice; pack it again")
        _check_member(info, limits)
        members[name] = info
    _check_whole(members, packed, limits)
    return members


def _check_member(info: zipfile.ZipInfo, limits: Limits) -> None:
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise DataError(f"{info.filename!r} is a link or a device; pack the files themselves")
    if info.flag_bits & _ENCRYPTED:
        raise DataError(f"{info.filename!r} is encrypted; pack it without a password")
    if info.file_size > limits.member_bytes:
        raise DataError(
            f"{info.filename!r} grows to {info.file_size} bytes, more than {limits.member_bytes}; remove it"
        )


def _check_whole(members: dict[str, zipfile.ZipInfo], packed: int, limits: Limits) -> None:
    total = sum(info.file_size for info in members.values())
    if len(members) > limits.members:
        raise DataError(f"has {len(members)} members, more than {limits.members}; split it")
    if total > limits.total_bytes:
        raise DataError(f"grows to {total} bytes, more than {limits.total_bytes}; split it")
    if total > limits.ratio_floor and total > limits.ratio * packed:
        raise DataError(f"grows from {packed} to {total} bytes, as pictures do not; look at what is in it")
