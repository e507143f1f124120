"""docs/your-pipeline.md: its files and commands work as they are written, in a folder that has nothing else."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pedigree.localaws import process
from tests.support.cli import INSTALLED, environment

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "your-pipeline.md").read_text(encoding="utf-8")
MARKED = dict(re.findall(r"<!-- (.+?) -->\n\n```\w+\n(.*?)```", PAGE, re.DOTALL))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An empty folder, but for the files of the page."""
    folder = tmp_path_factory.mktemp("empty")
    files = {"pipeline.json": "pipeline.json", "pipeline.py": "pipeline.py, version 3", "prepare.py": "prepare.py"}
    for name, mark in files.items():
        (folder / name).write_text(MARKED[mark])
    yield folder
    process.down(folder / ".localaws")


def type_in(folder: Path, commands: str) -> str:
    """What commands print; each must succeed."""
    path = f"{INSTALLED.parent}:/usr/bin:/bin"
    done = subprocess.run(
        ["sh", "-e", "-x", "-c", commands], cwd=folder, env=environment(PATH=path), capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_definition_is_checked_drawn_and_compared(folder: Path) -> None:
    printed = type_in(folder, MARKED["typed: once"])
    assert printed.splitlines() == ["pipeline.json: nothing is wrong", "pipeline.mmd", "pipeline.svg", "no difference"]


def test_a_definition_runs_and_the_other_verbs_go_on_with_it(folder: Path) -> None:
    ran = type_in(folder, MARKED["typed: runs"])
    assert "Prepare Succeeded" in ran
    assert re.search(r"Prepare +rows +s3://my-bucket/\w+/rows", ran)
    then = type_in(folder, MARKED["typed: then"])
    for words in ("Prepare  Succeeded", "making 4 rows", "Rows = 6", "ended"):
        assert words in then


def test_a_script_of_the_sdks_version_3_is_checked_and_runs(folder: Path) -> None:
    assert type_in(folder, "pedigree check pipeline.py") == "pipeline.py: nothing is wrong\n"
    ran = type_in(folder, "pedigree local run pipeline.py")
    assert "with Rows=5" in ran
    assert re.search(r"Prepare +rows +s3://sagemaker-us-east-1-123456789012/\w+/rows", ran)


def test_the_script_for_version_2_makes_the_same_pipeline() -> None:
    two, three = MARKED["pipeline.py, version 2"], MARKED["pipeline.py, version 3"]
    compile(two, "pipeline.py", "exec")
    assert two.partition("pipeline = Pipeline")[2] == three.partition("pipeline = Pipeline")[2]
