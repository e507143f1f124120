"""Memory for features: in memory if there is enough for all processes, else on a disk with enough space."""

from __future__ import annotations

import os
import resource
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

import memory
import scratch
from errors import InvalidFlagError

GIGABYTE = 2**30


def machine(root: Path, membership: str, limits: Mapping[str, str]) -> Path:
    """Writes the files in which a machine states the limits of a process."""
    for name, text in {"proc/self/cgroup": membership, **limits}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="ascii")
    return root


@pytest.mark.parametrize(
    ("membership", "limits", "available"),
    [
        ("0::/\n", {"sys/fs/cgroup/memory.max": "4096\n"}, 4096),
        (
            "0::/jobs/one\n",
            {"sys/fs/cgroup/jobs/memory.max": "8192\n", "sys/fs/cgroup/jobs/one/memory.max": "max\n"},
            8192,
        ),
        (
            "4:memory:/one\n1:cpu:/\n0::/\n",
            {
                "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
                "sys/fs/cgroup/memory/one/memory.limit_in_bytes": "12288\n",
            },
            12288,
        ),
        ("4:hugetlb,memory:/docker/0a1b\n", {"sys/fs/cgroup/memory/memory.limit_in_bytes": "16384\n"}, 16384),
    ],
    ids=["container, version 2", "of a group above, version 2", "version 1", "container, version 1"],
)
def test_a_limit_of_the_container_counts(
    membership: str, limits: dict[str, str], available: int, tmp_path: Path
) -> None:
    assert memory.available(machine(tmp_path, membership, limits)) == available


def test_without_a_limit_it_is_the_machines(tmp_path: Path) -> None:
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    assert memory.available(tmp_path) == physical
    assert memory.available(machine(tmp_path, "0::/\n", {"sys/fs/cgroup/memory.max": "max\n"})) == physical
    assert 0 < memory.available() <= physical


def test_a_table_larger_than_memory_is_in_an_unlinked_file(tmp_path: Path) -> None:
    assert not isinstance(scratch.allocate(10, 4, 160, tmp_path), np.memmap)
    table = scratch.allocate(10, 4, 159, tmp_path / "new")
    assert isinstance(table, np.memmap)
    assert list((tmp_path / "new").iterdir()) == []
    table[:] = 7
    assert table.sum() == 280


def test_a_full_disk_is_reported_before_anything_is_computed(tmp_path: Path) -> None:
    """A limit on files stands for the disk: the system says no in the same place."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with pytest.raises(InvalidFlagError, match=r"take 0.04 GB, .* has no space for that .* with --scratch-dir"):
            scratch.allocate(1000, 10_000, 0, tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == []
