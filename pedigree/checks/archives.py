"""Reads the Python source in a folder or an archive. Nothing is run or unpacked."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from pedigree.archives import ArchiveError, ArchiveLimits, tar_files

_MOST_BYTES = 4_000_000
_MOST_FILES = 2_000
_LIMITS = ArchiveLimits(256_000_000)


def sources(path: Path) -> dict[str, str]:
    """The source by file name, as far as it can be read; OSError if the path cannot be."""
    return _in_folder(path) if path.is_dir() else _in_archive(path)


def _in_folder(folder: Path) -> dict[str, str]:
    files = sorted(file for file in folder.rglob("*.py") if file.is_file() and file.stat().st_size <= _MOST_BYTES)
    return {
        str(file.relative_to(folder)): file.read_text(encoding="utf-8", errors="replace")
        for file in files[:_MOST_FILES]
    }


def _in_archive(path: Path) -> dict[str, str]:
    try:
        with path.open("rb") as file:
            files = tar_files(file, _LIMITS, ".py", _MOST_BYTES)
            return {name: content.decode("utf-8", errors="replace") for name, content in islice(files, _MOST_FILES)}
    except ArchiveError as error:
        raise OSError(f"it is not an archive that tar can read: {error}") from None
