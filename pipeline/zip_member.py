"""Members of zip archives that depend on their names alone: no time, no owner, no system."""

from __future__ import annotations

from zipfile import ZipInfo

_UNIX = 3
_READABLE = 0o100644 << 16


def member(path: str) -> ZipInfo:
    """The entry of a file in a zip."""
    entry = ZipInfo(path, date_time=(1980, 1, 1, 0, 0, 0))
    entry.create_system = _UNIX  # what ZipInfo takes from the machine otherwise
    entry.external_attr = _READABLE
    return entry
