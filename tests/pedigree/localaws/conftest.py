"""What several files of tests ask: a local AWS in this process, where everybody may do everything."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pedigree.localaws.daemon import LocalAws, Options


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    local = LocalAws(Options(tmp_path_factory.mktemp("local"), enforces_iam=False))
    local.start()
    yield local.url
    local.stop()
