"""Rewrites the paths below /opt/ml in the scripts that a job runs to where they are on this machine.

Scripts of processing jobs usually contain such paths, and so do the drivers of the SageMaker SDK, version 3, and the
scripts that the SDK packs into an archive, its own RepackModel among them.
"""

from __future__ import annotations

import tarfile
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from pedigree.archives import ArchiveError, ArchiveLimits, unpack_tar

ARCHIVE = "sourcedir.tar.gz"
"""What the SDK calls an archive of scripts."""
CODE_FOLDERS = ("code", "entrypoint", "sm_drivers")
"""What the SDK calls the inputs that are scripts."""
_KINDS = (".py", ".sh")
_RUN_BY = b"#!"
_LARGEST_BYTES = 1 << 20
_LIMITS = ArchiveLimits(1 << 30)
_STORED = 1  # the level of compression: the archive is unpacked a moment later


def rewrite(folders: Iterable[Path], mapped: Callable[[str], str]) -> bool:
    """Rewrite the scripts in folders; whether any has changed.

    A file is replaced, because it may be a link to the object store's own file.
    """
    has_changed = False
    for path in (script for folder in folders for script in _scripts(folder)):
        before = path.read_bytes()
        after = _changed(before, mapped)
        if after != before:
            mode = path.stat().st_mode
            path.unlink()
            path.write_bytes(after)
            path.chmod(mode)
            has_changed = True
    return has_changed


def rewrite_archive(archive: Path, scratch: Path, mapped: Callable[[str], str]) -> None:
    """Rewrite the scripts in an archive. One that cannot be unpacked stays as it is: the job will say what is wrong."""
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        try:
            with archive.open("rb") as file:
                unpack_tar(file, Path(folder), _LIMITS)
        except ArchiveError:
            return
        if rewrite([Path(folder)], mapped):
            archive.unlink()
            with tarfile.open(archive, "w:gz", compresslevel=_STORED) as packed:
                packed.add(folder, arcname=".")


def _scripts(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        is_file = path.is_file() and not path.is_symlink()
        if is_file and path.stat().st_size <= _LARGEST_BYTES and _is_script(path):
            yield path


def _is_script(path: Path) -> bool:
    """Whether a file is of a kind of script; one without a kind says in its first line what runs it."""
    if path.suffix:
        return path.suffix in _KINDS
    with path.open("rb") as file:
        return file.read(2) == _RUN_BY


def _changed(content: bytes, mapped: Callable[[str], str]) -> bytes:
    try:
        return mapped(content.decode()).encode()
    except UnicodeDecodeError:
        return content  # it is not text, so it is not a script
