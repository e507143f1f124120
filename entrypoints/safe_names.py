"""Checks the names of files in archives and buckets before they become paths on this machine.

The author of the archive chose the names. A name that leads out of its folder is an attack or a packing error; in
both cases nothing of the archive is used.
"""

from __future__ import annotations

import re

from errors import DataError

# Control characters, and surrogates for bytes that are not valid text.
_UNWRITABLE_CHARACTERS = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def safe_path(name: str) -> str:
    """Returns a name as a relative path with forward slashes; raises DataError if it leads out of the folder."""
    path = name.replace("\\", "/")
    if path.startswith("/") or re.match(r"[A-Za-z]:", path):
        raise DataError(f"{name!r} is an absolute path", "pack the images by relative paths")
    if ".." in path.split("/"):
        raise DataError(f"{name!r} leads out of its folder", "pack the images without ..")
    return check_name(path)


def check_name(name: str) -> str:
    """Returns a name; raises DataError if a file, a log or JSON could not hold it."""
    if _UNWRITABLE_CHARACTERS.search(name):
        raise DataError(f"{name!r} has characters that are not allowed in file names", "rename it")
    return name
