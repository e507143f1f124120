"""Copies the files of an image that a Dockerfile describes to where a host has them."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

from pedigree.localaws.images.dockerfile import CopiedFile

_EXECUTABLE = 0o111
# The image's own Python, which stands somewhere else here: the first one on PATH is that of the environment.
_PYTHON = re.compile(rb"\A#![ \t]*/(?:[\w.-]+/)*bin/python[\d.]*(?=[ \t\r\n])")


def copy(files: tuple[CopiedFile, ...], folders: tuple[str, ...], place: Callable[[str], Path]) -> None:
    """Make the folders of an image and copy its files; place says where a path of the image is on this machine."""
    for folder in set(folders) - {"/"}:
        place(folder).mkdir(parents=True, exist_ok=True)
    for file in files:
        target = place(file.target)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        _copy(file, target)


def _copy(file: CopiedFile, target: Path) -> None:
    if file.source.is_symlink():
        target.symlink_to(os.readlink(file.source))  # noqa: PTH115  # the text, which may be of any form
        return
    shutil.copyfile(file.source, target)
    mode = file.source.stat().st_mode & 0o777 | (_EXECUTABLE if file.is_executable else 0)
    target.chmod(mode)
    if mode & _EXECUTABLE:
        _use_own_python(target)


def _use_own_python(script: Path) -> None:
    with script.open("rb") as file:
        is_python = _PYTHON.match(file.read(128))
    if is_python:
        script.write_bytes(_PYTHON.sub(b"#!/usr/bin/env python3", script.read_bytes(), count=1))
