"""What installed projects have registered under an entry point group."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points

from pedigree import project_root
from pedigree.toml import tomllib


def registered(group: str) -> list[EntryPoint]:
    """The entry points of a group; of the project around the current folder, if no installed one has any."""
    installed = list(entry_points(group=group))
    root = project_root.search()
    if installed or root is None:
        return installed
    path = root / project_root.package(root) / "pyproject.toml"
    groups = tomllib.loads(path.read_text(encoding="utf-8"))["project"].get("entry-points", {})
    return [EntryPoint(name, value, group) for name, value in groups.get(group, {}).items()]
