"""What stands for images, on the command line: said, made and removed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pedigree.localaws.images.layers import Layers, Wanted
from tests.pedigree.cli.test_commands import run
from tests.support.folders import write_files

MINE = """
[[recipe]]
name = "mine"
images = ["team/mine:*"]
packages = []
variables = { NUMBER = "%d" }
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project with a recipe of its own, and an empty folder for environments."""
    (tmp_path / "images.toml").write_text(MINE % 1, encoding="utf-8")
    return tmp_path


def images(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return run("local", "images", *words, cwd=folder, PEDIGREE_ENVIRONMENTS=str(folder / "environments"))


def test_an_image_is_explained(folder: Path) -> None:
    said = images(folder, "explain", "registry.example.com/team/mine:7").stdout
    assert "recipe       mine, in images.toml: team/mine:* matches" in said
    assert "made when a job first needs it" in said


def test_a_dockerfile_is_explained_or_refused_with_its_line(folder: Path) -> None:
    recipe = '[[recipe]]\nname = "mine"\nimages = ["team/mine:*"]\nfolder = "docker"\n'
    dockerfile = 'FROM python:3.11\nCOPY Dockerfile /app/\nENTRYPOINT ["python3", "a.py"]\n'
    write_files(folder, {"images.toml": recipe, "docker/Dockerfile": dockerfile})
    said = images(folder, "explain", "team/mine:7").stdout
    assert f"Dockerfile   {folder.resolve() / 'docker' / 'Dockerfile'}: 1 files, runs python3 a.py" in said
    write_files(folder, {"docker/Dockerfile": "FROM python:3.11\nCOPY train /opt/program/\n", "docker/train": ""})
    assert "1 files, runs train" in images(folder, "explain", "team/mine:7").stdout
    write_files(folder, {"docker/Dockerfile": f"{dockerfile}RUN make\n"})
    refused = images(folder, "explain", "team/mine:7")
    assert refused.returncode == 2
    assert 'line 4 (RUN make): make is not followed; add skip = ["RUN make*"] to the recipe' in refused.stderr


def test_an_image_of_which_nothing_is_known_is_one_line_with_what_to_write(folder: Path) -> None:
    refused = images(folder, "explain", "team/other:1")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "describe it in images.toml: [[recipe]]" in refused.stderr
    assert refused.stderr.count("\n") == 1


def test_environments_are_made_listed_and_removed(folder: Path) -> None:
    made = images(folder, "build", "mine")
    assert made.returncode == 0, made.stderr
    place = made.stdout.strip()
    assert (Path(place) / "bin" / "python").exists()
    assert any(line.startswith("mine") and "ready" in line for line in images(folder, "list").stdout.splitlines())
    assert images(folder, "remove", "team/mine:1").stdout == f"removed {place}\n"
    assert not Path(place).exists()


def test_what_no_recipe_has_any_more_is_said_and_removed(folder: Path) -> None:
    # By the path of its Python it is another environment than the empty one, which stands for images of systems.
    python = f'packages = []\npython = "{sys.executable}"'
    (folder / "images.toml").write_text(MINE.replace("packages = []", python) % 1, encoding="utf-8")
    place = images(folder, "build", "mine").stdout.strip()
    (folder / "images.toml").write_text(MINE.replace("packages = []", 'packages = ["six"]') % 1, encoding="utf-8")
    assert f"{place} (of a recipe that has changed)" in images(folder, "list").stdout
    assert images(folder, "remove", "--unused").stdout == f"removed {place}\n"


def make_layer(folder: Path) -> Path:
    """A layer on this Python's own environment, as a job leaves one."""
    layers = Layers(folder / "environments")
    wanted = Wanted(Path(sys.prefix), "pandas==2\n", {})
    with layers.used(wanted, lambda _requirements, changes: changes.mkdir(), lambda _line: None) as changes:
        return changes.parent


def test_layers_of_requirements_are_listed_and_removed(folder: Path) -> None:
    made = make_layer(folder)
    assert f"{made} on {sys.prefix}" in images(folder, "list").stdout
    assert images(folder, "remove", "--unused").stdout == ""
    os.utime(made / ".ready", (0, 0))
    assert f"{made} on {sys.prefix} (unused)" in images(folder, "list").stdout
    assert images(folder, "remove", "--unused").stdout == f"removed {made}\n"
    made = make_layer(folder)
    assert images(folder, "remove", "--all").stdout == f"removed {made}\n"


def test_a_layer_that_a_job_uses_stays(folder: Path) -> None:
    wanted = Wanted(Path(sys.prefix), "pandas==2\n", {})
    install = Layers(folder / "environments").used(wanted, lambda _list, changes: changes.mkdir(), lambda _line: None)
    with install as changes:
        assert images(folder, "remove", "--all").stdout == f"a job uses, so it stays: {changes.parent}\n"


def test_nothing_is_removed_unless_it_is_named(folder: Path) -> None:
    refused = images(folder, "remove")
    assert refused.returncode == 2
    assert "no image is named; name images, or use --unused or --all" in refused.stderr


def test_a_file_that_is_not_there_is_one_line(folder: Path) -> None:
    refused = images(folder, "list", "--images", "gone.toml")
    assert refused.returncode == 2
    assert "there is no file gone.toml" in refused.stderr
