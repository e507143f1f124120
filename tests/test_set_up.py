"""An environment is set up once, by one process at a time, and never used half-finished."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from set_up import ENVIRONMENTS, STAMP, SetUpError, check_python

ROOT = Path(__file__).parents[1]
ONLY_A_LIST = """
import sys
from pathlib import Path
import set_up
environment = set_up.Environment("env", "list.txt", ((3, 10), (3, 13)), "PYTHON")
try:
    set_up.set_up(environment, Path.cwd(), sys.stderr)
except set_up.SetUpError as error:
    sys.exit(f"error: {error}")
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copy(ROOT / "set_up.py", tmp_path)
    (tmp_path / "list.txt").write_text("# nothing\n", encoding="utf-8")
    return tmp_path


def start(folder: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", ONLY_A_LIST]
    return subprocess.Popen(
        command, cwd=folder, stderr=subprocess.PIPE, text=True, env={**os.environ, "PIP_NO_INDEX": "1"}
    )


def ended(process: subprocess.Popen[str]) -> str:
    _, errors = process.communicate(timeout=120)
    return errors


def test_processes_that_start_together_set_it_up_once(folder: Path) -> None:
    errors = [ended(process) for process in [start(folder), start(folder), start(folder)]]
    assert "".join(errors).count("Setting up env") == 1
    assert (folder / "env" / STAMP).exists()


def test_a_changed_list_sets_it_up_again_from_scratch(folder: Path) -> None:
    ended(start(folder))
    (folder / "env" / "stale").touch()
    assert ended(start(folder)) == ""
    assert (folder / "env" / "stale").exists()
    (folder / "list.txt").write_text("# nothing else\n", encoding="utf-8")
    assert "Setting up env" in ended(start(folder))
    assert not (folder / "env" / "stale").exists()


def test_a_package_that_pip_cannot_install_is_reported_and_leaves_no_stamp(folder: Path) -> None:
    (folder / "list.txt").write_text("no-such-package==1\n", encoding="utf-8")
    process = start(folder)
    assert "error: pip could not install everything" in ended(process)
    assert process.returncode == 1
    assert not (folder / "env" / STAMP).exists()


@pytest.mark.parametrize(("name", "version"), [("definition", (3, 9)), ("definition", (3, 14)), ("container", (3, 10))])
def test_a_python_that_the_list_does_not_support_is_refused(name: str, version: tuple[int, int]) -> None:
    with pytest.raises(SetUpError, match=r"; name another with make (CONTAINER_)?PYTHON=python3\.13$"):
        check_python(ENVIRONMENTS[name], version)
