"""Which settings files a command reads, in their order; later ones lie on top.

settings.toml is the project's own. On the local AWS settings.local.toml lies on it, always. settings.mine.toml lies on
top of both if it is there; git ignores it. Files that are named replace the first and the last.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from pedigree import project_root
from pedigree.local_endpoint import VARIABLE
from pipeline.settings.layers import FILES_VARIABLE, PREFIX

PROJECT, LOCAL, MINE = "settings.toml", "settings.local.toml", "settings.mine.toml"


def find(named: str, environ: Mapping[str, str]) -> tuple[str, ...]:
    """The files for a command; `named` are those of --settings."""
    folder = _folder()
    names = tuple(name for name in (named or environ.get(FILES_VARIABLE, "")).split(":") if name)
    mine = folder / MINE
    chosen = names or (str(folder / PROJECT), *((str(mine),) if mine.exists() else ()))
    return _with_local(chosen, str(folder / LOCAL)) if environ.get(VARIABLE) else chosen


def sources(files: Sequence[str], environ: Mapping[str, str]) -> str:
    """The files and variables that settings come from, for a line of output."""
    return ", ".join((*files, *sorted(name for name in environ if name.startswith(PREFIX))))


def _with_local(files: Sequence[str], local: str) -> tuple[str, ...]:
    """The files with those of the local AWS: just on the project's own, or below all others."""
    names = [os.path.realpath(file) for file in files]
    if os.path.realpath(local) in names:
        return tuple(files)
    own = os.path.realpath(Path(local).with_name(PROJECT))
    position = names.index(own) + 1 if own in names else 0
    return (*files[:position], local, *files[position:])


def _folder() -> Path:
    """The project's folder; relative if it is the current one."""
    root = project_root.search()
    return Path() if root is None or root.samefile(".") else root
