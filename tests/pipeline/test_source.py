"""The key of the code depends on the code alone: not on when, where or by whom it was written."""

from __future__ import annotations

import io
import os
import shutil
import tarfile
from pathlib import Path

import pytest

from pipeline.source import read


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "code"
    (made / "inner").mkdir(parents=True)
    (made / "train.py").write_text("print(1)\n")
    (made / "inner" / "help.py").write_text("x = 2\n")
    return made


def test_time_place_owner_and_mode_do_not_matter(folder: Path, tmp_path: Path) -> None:
    before = read(folder)
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(folder, elsewhere)
    os.utime(elsewhere / "train.py", (0, 0))
    (elsewhere / "train.py").chmod(0o755)
    assert read(elsewhere).sha256 == before.sha256
    assert read(elsewhere).compressed == before.compressed


def test_what_python_and_editors_leave_behind_does_not_matter(folder: Path) -> None:
    before = read(folder).sha256
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "train.cpython-311.pyc").write_bytes(b"\0")
    (folder / ".train.py.swp").write_bytes(b"\0")
    assert read(folder).sha256 == before


def test_content_and_names_do_matter(folder: Path) -> None:
    before = read(folder).sha256
    (folder / "train.py").write_text("print(2)\n")
    changed = read(folder).sha256
    (folder / "train.py").rename(folder / "run.py")
    assert len({before, changed, read(folder).sha256}) == 3


def test_it_unpacks_to_what_went_in(folder: Path) -> None:
    with tarfile.open(fileobj=io.BytesIO(read(folder).compressed), mode="r:gz") as tar:
        assert tar.getnames() == ["inner/help.py", "train.py"]
        member = tar.extractfile("train.py")
        assert member is not None
        assert member.read() == b"print(1)\n"
