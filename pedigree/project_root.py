"""Finds the folder of the project that a command is called in.

A project is marked as kedro marks one: its pyproject.toml has a table [tool.pedigree]. Its own folders (iam/, lambda/,
entrypoints/) and its settings are found from there, wherever pedigree itself is installed.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pedigree.errors import Mistake
from pedigree.toml import tomllib

_FILE = "pyproject.toml"


class ProjectRootError(Mistake):
    """There is no project around the current folder."""


def find(start: Path | None = None) -> Path:
    """The nearest project's folder, upwards from the current one."""
    root = search(start)
    if root is None:
        raise ProjectRootError(
            f"neither {start or Path.cwd()} nor a folder above it has a {_FILE} with [tool.pedigree]",
            "call it in the project's folder",
        )
    return root


def search(start: Path | None = None) -> Path | None:
    """The nearest project's folder, or None."""
    folder = (start or Path.cwd()).resolve()
    return next((each for each in (folder, *folder.parents) if _table(each) is not None), None)


def package(root: Path) -> str:
    """The folder, relative to the root, from which pip installs the project's own verbs."""
    return str((_table(root) or {}).get("package", "."))


def _table(folder: Path) -> Mapping[str, Any] | None:
    path = folder / _FILE
    if not path.is_file():
        return None
    try:
        tools = tomllib.loads(path.read_text(encoding="utf-8")).get("tool", {})
    except (OSError, ValueError) as error:
        raise ProjectRootError(f"{path} cannot be read: {error}", "correct it, or run this in another folder") from None
    table: Mapping[str, Any] | None = tools.get("pedigree")
    return table
