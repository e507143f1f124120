"""A data set appears completely or not at all, for every previous state of the output."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from image_trees import as_folder

import staging
from errors import InvalidFlagError
from staging import publish, staging_folder


def tree(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def test_publishing_moves_into_existing_and_new_folders(tmp_path: Path) -> None:
    made = as_folder({"train/cat/1.jpg": b"one", "test/cat/2.jpg": b"two"}, tmp_path / "made")
    (tmp_path / "out" / "train").mkdir(parents=True)
    publish(made, tmp_path / "out", ["train", "test"])
    assert tree(tmp_path / "out") == ["test", "test/cat", "test/cat/2.jpg", "train", "train/cat", "train/cat/1.jpg"]


def test_a_failed_publish_leaves_the_output_unchanged(tmp_path: Path) -> None:
    made = as_folder({"train/cat/1.jpg": b"one", "test/cat/2.jpg": b"two"}, tmp_path / "made")
    (tmp_path / "out" / "train").mkdir(parents=True)
    with pytest.raises(FileNotFoundError):
        publish(made, tmp_path / "out", ["train", "test", "never made"])
    assert tree(tmp_path / "out") == ["train"]


def test_the_staging_folder_is_hidden_and_is_deleted(tmp_path: Path) -> None:
    with staging_folder(tmp_path / "out", ["train"]) as folder:
        assert folder.parent == tmp_path / "out"
        assert folder.name.startswith(".")
    assert tree(tmp_path) == []


def test_it_is_deleted_after_a_failure_and_other_files_stay(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "notes.txt").write_text("mine")
    with pytest.raises(ZeroDivisionError), staging_folder(tmp_path / "out", ["train"]):
        raise ZeroDivisionError
    assert tree(tmp_path / "out") == ["notes.txt"]


HOLD = """
import folder_lock, pathlib, sys
with folder_lock.exclusive_access(pathlib.Path(sys.argv[1])):
    print("mine", flush=True)
    sys.stdin.read()
"""


def test_an_output_folder_in_use_by_another_run_is_refused(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    where = {**os.environ, "PYTHONPATH": str(Path(staging.__file__).parent)}
    with subprocess.Popen(command, env=where, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdin
        assert other.stdout
        assert other.stdout.readline() == "mine\n"
        (tmp_path / ".prepare-its").mkdir()
        with (
            pytest.raises(InvalidFlagError, match=r"another run uses .*; wait for it"),
            staging_folder(tmp_path, []),
        ):
            pytest.fail("it was given away")
        assert (tmp_path / ".prepare-its").is_dir()
        other.stdin.close()
    with staging_folder(tmp_path, []):
        assert not (tmp_path / ".prepare-its").exists()
    assert tree(tmp_path) == []


@pytest.mark.parametrize("taken", ["train/cat/1.jpg", "train"])
def test_an_occupied_output_folder_is_left_alone(tmp_path: Path, taken: str) -> None:
    as_folder({taken: b"older"}, tmp_path)
    with (
        pytest.raises(InvalidFlagError, match="already holds train; empty it"),
        staging_folder(tmp_path, ["train", "test"]),
    ):
        pytest.fail("it was given away")
    assert (tmp_path / taken).read_bytes() == b"older"
