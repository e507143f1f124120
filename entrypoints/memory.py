"""Finds out how much memory this process may use: that of the machine, or the limit of its container."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

_CGROUP_FILE = "proc/self/cgroup"
# Where the limits are, by controller: in cgroup v2 one tree for everything, in v1 one tree for memory.
_CGROUP_TREES = {"": ("sys/fs/cgroup", "memory.max"), "memory": ("sys/fs/cgroup/memory", "memory.limit_in_bytes")}


def available(root: Path = Path("/")) -> int:
    """Returns the bytes of memory of the machine or the container."""
    return min([os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"), *_limits(root)])


def _limits(root: Path) -> Iterator[int]:
    """Yields the limits of all cgroups of this process."""
    for controller, group in _cgroups(root):
        tree, file = _CGROUP_TREES[controller]
        for folder in (group, *group.parents):
            try:
                # No limit is the word max, or a number larger than any machine.
                yield int((root / tree / folder / file).read_text(encoding="ascii"))
            except (OSError, ValueError):
                continue


def _cgroups(root: Path) -> Iterator[tuple[str, Path]]:
    """Yields the controller and the folder of each cgroup. Inside a container, the folder may appear as the root."""
    try:
        lines = (root / _CGROUP_FILE).read_text(encoding="utf-8").splitlines()
    except OSError:
        return  # not Linux, so there are no cgroups
    for line in lines:
        _, controllers, path = line.split(":", 2)
        for controller in _CGROUP_TREES.keys() & set(controllers.split(",")):
            yield controller, Path(path.lstrip("/"))
