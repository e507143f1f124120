"""The project that a command is called in is found upwards from the current folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from pedigree import project_root
from pedigree.project_root import ProjectRootError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text('[tool.pedigree]\npackage = "own"\n')
    (tmp_path / "a" / "b").mkdir(parents=True)
    return tmp_path


def test_it_is_found_from_every_folder_inside(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root / "a" / "b")
    assert project_root.find() == project_root.find(root) == root
    assert project_root.package(root) == "own"


def test_other_projects_on_the_way_are_passed_by(root: Path) -> None:
    (root / "a" / "pyproject.toml").write_text("[tool.other]\n")
    assert project_root.find(root / "a" / "b") == root


def test_no_project_has_a_remedy(tmp_path: Path) -> None:
    assert project_root.search(tmp_path) is None
    with pytest.raises(ProjectRootError, match="call it in the project's folder"):
        project_root.find(tmp_path)


def test_a_broken_file_is_named(root: Path) -> None:
    (root / "a" / "pyproject.toml").write_text("[")
    with pytest.raises(ProjectRootError, match="cannot be read"):
        project_root.find(root / "a")
