"""Fixtures that several test files share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

# Several trainings run side by side here. Threads that wait by spinning would take the cores from all the others.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Images of three textures, in the course project's folders."""
    import drawn_pictures  # imports torch, which the tests of prepare.py do without

    folder = tmp_path_factory.mktemp("data")
    drawn_pictures.draw_split(folder / "train", 9)
    drawn_pictures.draw_split(folder / "valid", 5)
    return folder
