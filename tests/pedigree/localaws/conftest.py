"""Local AWSs in this process that allow every call: one for a module of tests, and one for a test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pedigree.localaws.daemon import LocalAws
from tests.support.local_aws import running_local_aws


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_local_aws(tmp_path_factory.mktemp("local")) as local:
        yield local.url


@pytest.fixture
def local(tmp_path: Path) -> Iterator[LocalAws]:
    with running_local_aws(tmp_path) as local:
        yield local
