"""Tests that make containers are collected where the kernel has namespaces; those of the words for it, everywhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.containers import HAS_CONTAINERS, ContainerRunner

collect_ignore = [] if HAS_CONTAINERS else ["test_launcher.py", "test_runtime.py"]


@pytest.fixture(params=[True, False], ids=["this user", "ordinary user"])
def runner(tmp_path: Path, request: pytest.FixtureRequest) -> ContainerRunner:
    return ContainerRunner(tmp_path, is_privileged=request.param)
