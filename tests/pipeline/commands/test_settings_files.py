"""Which settings files a command reads: the project's, those of the local AWS, and the user's own on top."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.commands import settings_files

PROJECT, LOCAL, MINE = "settings.toml", "settings.local.toml", "settings.mine.toml"
ON_LOCAL = {"PEDIGREE_LOCAL": "1"}


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "pyproject.toml").write_text("[tool.pedigree]\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_users_own_file_lies_on_top_if_it_is_there(project: Path) -> None:
    assert settings_files.find("", {}) == (PROJECT,)
    (project / MINE).touch()
    assert settings_files.find("", {}) == (PROJECT, MINE)
    assert settings_files.find("", ON_LOCAL) == (PROJECT, LOCAL, MINE)


@pytest.mark.parametrize(
    ("named", "files"),
    [
        ("settings.toml", (PROJECT, LOCAL)),
        ("settings.toml:settings.mine.toml", (PROJECT, LOCAL, MINE)),
        ("settings.toml:settings.local.toml:settings.mine.toml", (PROJECT, LOCAL, MINE)),
        ("other.toml", (LOCAL, "other.toml")),
        ("other.toml:more.toml", (LOCAL, "other.toml", "more.toml")),
    ],
)
def test_named_files_keep_those_of_the_local_aws_below_them(named: str, files: tuple[str, ...]) -> None:
    assert settings_files.find(named, ON_LOCAL) == files
    assert settings_files.find("", {**ON_LOCAL, "PEDIGREE_SETTINGS": named}) == files
    assert settings_files.find(named, {}) == tuple(named.split(":"))


def test_from_another_folder_they_are_found_in_the_projects(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "deep").mkdir()
    monkeypatch.chdir(project / "deep")
    assert settings_files.find("", ON_LOCAL) == (str(project / PROJECT), str(project / LOCAL))


def test_a_plan_says_where_its_settings_come_from() -> None:
    environ = {"PEDIGREE__TUNING__MAX_JOBS": "4", "HOME": "/root"}
    assert settings_files.sources((PROJECT, MINE), environ) == f"{PROJECT}, {MINE}, PEDIGREE__TUNING__MAX_JOBS"
