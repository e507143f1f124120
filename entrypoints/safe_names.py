"""The names that archives and buckets give to files, before any of them becomes a path on this machine.

A name comes from whoever made the archive. One that leads out of its folder is an attack, or an archive that was
packed wrongly; either way nothing of it is used.
"""

from __future__ import annotations

import re

from errors import DataError

# Control characters, and what stands for bytes that are no text.
_UNWRITABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def inside(name: str) -> str:
    """The name as a relative path with forward slashes; DataError where it leads anywhere else."""
    path = name.replace("\\", "/")
    if path.startswith("/") or re.match(r"[A-Za-z]:", path):
        raise DataError(f"{name!r} is an absolute path; pack the images by relative paths")
    if ".." in path.split("/"):
        raise DataError(f"{name!r} leads out of its folder; pack the images without ..")
    return writable(path)


def writable(name: str) -> str:
    """The name, if a file, a log and JSON can all hold it."""
    if _UNWRITABLE.search(name):
        raise DataError(f"{name!r} has characters that no file name should have; rename it")
    return name
