"""Expected texts are reviewed as diffs: the code produces what was reviewed last."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.golden import TEXTS


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_nothing_changed_without_review(path: Path) -> None:
    expected = path.read_text(encoding="utf-8")
    assert TEXTS[path]() == expected, f"{path.name} changed: run make golden, and review git diff"
