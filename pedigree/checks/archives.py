"""The Python source of a folder or an archive; nothing of it is run or unpacked."""

from __future__ import annotations

import tarfile
from pathlib import Path

_MOST_BYTES = 4_000_000
_MOST_FILES = 2_000


def sources(path: Path) -> dict[str, str]:
    """Source by file name, as far as it can be read; OSError says why a path cannot be."""
    return _in_folder(path) if path.is_dir() else _in_archive(path)


def _in_folder(folder: Path) -> dict[str, str]:
    files = sorted(one for one in folder.rglob("*.py") if one.is_file() and one.stat().st_size <= _MOST_BYTES)
    return {
        str(one.relative_to(folder)): one.read_text(encoding="utf-8", errors="replace") for one in files[:_MOST_FILES]
    }


def _in_archive(path: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                if len(found) < _MOST_FILES and member.isfile() and member.name.endswith(".py"):
                    content = archive.extractfile(member) if member.size <= _MOST_BYTES else None
                    if content:
                        found[member.name.removeprefix("./")] = content.read().decode("utf-8", errors="replace")
    except (tarfile.TarError, EOFError) as error:
        raise OSError(f"it is no archive that tar can read: {error}") from None
    return found
