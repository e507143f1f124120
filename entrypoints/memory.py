"""How much memory this process may have: that of the machine, or less where it runs in a container with a limit."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

_MEMBERSHIP = "proc/self/cgroup"
# Where the limits are: of version 2, which has one tree for everything, and of version 1, which has one for memory.
_TREES = {"": ("sys/fs/cgroup", "memory.max"), "memory": ("sys/fs/cgroup/memory", "memory.limit_in_bytes")}


def available(root: Path = Path("/")) -> int:
    """The bytes of memory that are there to be used, by everything in the machine or the container."""
    return min([os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"), *_limits(root)])


def _limits(root: Path) -> Iterator[int]:
    """The limits of all groups that this process is in."""
    for controller, group in _groups(root):
        tree, file = _TREES[controller]
        for folder in (group, *group.parents):
            try:
                # A limit that is none is the word max, or a number beyond any machine.
                yield int((root / tree / folder / file).read_text(encoding="ascii"))
            except (OSError, ValueError):
                continue


def _groups(root: Path) -> Iterator[tuple[str, Path]]:
    """The tree and the folder of each group; a container sees its own folder as the root, and maybe another's name."""
    try:
        lines = (root / _MEMBERSHIP).read_text(encoding="utf-8").splitlines()
    except OSError:
        return  # no Linux, so no groups
    for line in lines:
        _, controllers, path = line.split(":", 2)
        for controller in _TREES.keys() & set(controllers.split(",")):
            yield controller, Path(path.lstrip("/"))
