"""Reads an untrusted zip member by member, without unpacking: no name in it becomes a path.

The whole zip is refused if it has names that lead out of the archive, links, devices, encrypted members, duplicate
names, other methods than those of every zip program, or if it expands too much. A damaged member affects only itself.

Sizes in a zip's headers may lie. Members are read in pieces, so that no more is expanded than is returned.
"""

from __future__ import annotations

import stat
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from errors import DataError
from safe_names import safe_path

_MEGABYTE = 1 << 20
_GIGABYTE = 1 << 30
_ENCRYPTED = 0x1
_PIECE = 1 << 20
# Python expands a piece of any other method as a whole, however large it becomes.
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


@dataclass(frozen=True)
class Limits:
    """The limits of an archive; below the floor, no expansion ratio is suspicious."""

    members: int = 5_000_000
    member_bytes: int = 256 * _MEGABYTE
    total_bytes: int = 256 * _GIGABYTE
    ratio: int = 100
    ratio_floor: int = 64 * _MEGABYTE


LIMITS = Limits()


class ZipReader:
    """Reads the originals in a zip."""

    def __init__(self, path: Path, limits: Limits = LIMITS) -> None:
        try:
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, NotImplementedError, EOFError, ValueError) as error:
            raise DataError(f"{path.name} is not a readable zip: {error}", "fetch or pack it again") from None
        try:
            self._members = _check_members(self._zip.infolist(), path.stat().st_size, limits)
        except DataError as error:
            self.close()
            raise error.about(f"{path.name}:") from None

    def names(self) -> tuple[str, ...]:
        """Returns all members in order; folders end with a slash."""
        return tuple(sorted(self._members))

    def read(self, name: str) -> bytes:
        """Returns a member's bytes; its size was checked, and no more than that is expanded."""
        try:
            with self._zip.open(self._members[name]) as content:
                return b"".join(iter(lambda: content.read(_PIECE), b""))
        except Exception as error:  # each compression method raises its own types
            raise DataError(f"cannot be read from the archive: {error}", "pack it again") from error

    def close(self) -> None:
        self._zip.close()


def _check_members(infos: Iterable[zipfile.ZipInfo], packed_size: int, limits: Limits) -> dict[str, zipfile.ZipInfo]:
    members: dict[str, zipfile.ZipInfo] = {}
    for info in infos:
        name = safe_path(info.filename)
        if name in members:
            raise DataError(f"{name!r} is in the archive twice", "pack it again")
        _check_member(info, limits)
        members[name] = info
    _check_whole(members, packed_size, limits)
    return members


def _check_member(info: zipfile.ZipInfo, limits: Limits) -> None:
    file_type = stat.S_IFMT(info.external_attr >> 16)
    if file_type not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise DataError(f"{info.filename!r} is a link or a device", "pack the files themselves")
    if info.flag_bits & _ENCRYPTED:
        raise DataError(f"{info.filename!r} is encrypted", "pack it without a password")
    if info.compress_type not in _METHODS:
        raise DataError(
            f"{info.filename!r} is packed with the method {info.compress_type}", "pack it with deflate, the usual one"
        )
    if info.file_size > limits.member_bytes:
        raise DataError(
            f"{info.filename!r} expands to {info.file_size} bytes, more than {limits.member_bytes}", "remove it"
        )


def _check_whole(members: dict[str, zipfile.ZipInfo], packed_size: int, limits: Limits) -> None:
    total = sum(info.file_size for info in members.values())
    if len(members) > limits.members:
        raise DataError(f"has {len(members)} members, more than {limits.members}", "split it")
    if total > limits.total_bytes:
        raise DataError(f"expands to {total} bytes, more than {limits.total_bytes}", "split it")
    if total > limits.ratio_floor and total > limits.ratio * packed_size:
        raise DataError(f"expands from {packed_size} to {total} bytes, which pictures do not", "check its content")
