"""A local AWS that runs jobs; tests of containers are collected where the kernel has namespaces."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.containers import HAS_CONTAINERS
from tests.support.job_runner import LocalJobs

collect_ignore = [] if HAS_CONTAINERS else ["test_job_containers.py", "test_job_layers.py", "test_users_of_daemons.py"]


@pytest.fixture
def local(tmp_path: Path) -> Iterator[LocalJobs]:
    opened = LocalJobs(tmp_path)
    yield opened
    opened.runner.end_all()
