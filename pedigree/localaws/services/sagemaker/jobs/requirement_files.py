"""Finds the requirements.txt that a job will install, in what lies in its folders before it starts.

Each program that starts scripts has its own place: AWS's toolkit and ours an archive, the starters of the SDKs'
processors, trainers and functions a channel. What pip would read from elsewhere (a file, a repository) is not looked
for: such a list means something else in each job.
"""

from __future__ import annotations

import re
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

_NAME = "requirements.txt"
_LARGEST = 1 << 20
_MOST_MEMBERS = 10_000
_ARCHIVES = ("input/source/*.tar.gz", "input/data/*/sourcedir.tar.gz", "processing/input/*/sourcedir.tar.gz")
_FILES = (f"input/data/code/{_NAME}", "input/data/pre_exec_script_and_dependencies/*.txt")
_WORKSPACE = "input/data/sm_rf_user_ws/workspace.zip"
"""The archive of a function of the SDK's @remote."""
# A package by its name, with versions, extras and a marker, and options that choose an index.
_PACKAGE = re.compile(r"[A-Za-z0-9][\w.-]*\s*(?:\[[\w\s,.-]*\])?\s*(?:[(<>=!~][^@]*)?(?:;.*)?")
_OPTION = re.compile(r"(?:-i|--index-url|--extra-index-url|--trusted-host|--pre|--prefer-binary|--only-binary)\b.*")


def requirements(root: Path, archive: IO[bytes] | None = None) -> str:
    """The packages that a job asks for, one a line; empty if it asks for none, or if pip would read more than the list.

    root is its folder /opt/ml, and archive has its script if that is not there.
    """
    text = archived_requirements(archive) if archive else ""
    text = text or next((text for find in (_in_archives, _in_files, _in_workspace) for text in find(root)), "")
    lines = [line for line in (_plain(line) for line in text.replace("\\\n", " ").splitlines()) if line]
    is_whole = all(_PACKAGE.fullmatch(line) or _OPTION.fullmatch(line) for line in lines)
    return "".join(f"{line}\n" for line in lines) if is_whole else ""


def archived_requirements(archive: IO[bytes]) -> str:
    """The requirements.txt at the top of an archive of scripts; empty if there is none."""
    try:
        with tarfile.open(fileobj=archive, mode="r|gz") as packed:
            for member, _ in zip(packed, range(_MOST_MEMBERS), strict=False):
                if member.name.removeprefix("./") == _NAME and member.isfile() and member.size <= _LARGEST:
                    content = packed.extractfile(member)
                    return content.read().decode(errors="replace") if content else ""
    except (tarfile.TarError, OSError, EOFError):
        return ""  # the job will say what is wrong with it
    return ""


def _in_archives(root: Path) -> Iterator[str]:
    for path in (path for pattern in _ARCHIVES for path in sorted(root.glob(pattern))):
        with path.open("rb") as file:
            yield from filter(None, (archived_requirements(file),))


def _in_files(root: Path) -> Iterator[str]:
    for path in (path for pattern in _FILES for path in sorted(root.glob(pattern))):
        if path.is_file() and path.stat().st_size <= _LARGEST:
            yield path.read_text(encoding="utf-8", errors="replace")


def _in_workspace(root: Path) -> Iterator[str]:
    try:
        with zipfile.ZipFile(root / _WORKSPACE) as packed:
            for member in packed.infolist():
                parts = member.filename.split("/")
                if len(parts) == 2 and parts[1].endswith(".txt") and member.file_size <= _LARGEST:
                    yield packed.read(member).decode(errors="replace")
    except (OSError, zipfile.BadZipFile):
        return


def _plain(line: str) -> str:
    """A line without its comment."""
    return re.sub(r"(?:^|\s)#.*", "", line).strip()
