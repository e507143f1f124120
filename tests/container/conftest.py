"""What several files of tests train on."""

from __future__ import annotations

from pathlib import Path

import drawn
import pytest


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Images of three textures, in the course project's folders."""
    folder = tmp_path_factory.mktemp("data")
    drawn.draw_split(folder / "train", 9)
    drawn.draw_split(folder / "valid", 5)
    return folder
