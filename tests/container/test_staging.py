"""A data set appears whole or not at all, whatever its place looked like before."""

from __future__ import annotations

from pathlib import Path

import pytest
from trees import as_folder

from errors import UsageError
from staging import hand_over, staging_folder


def tree(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def test_what_was_made_moves_into_folders_that_are_there_and_those_that_are_not(tmp_path: Path) -> None:
    made = as_folder({"train/cat/1.jpg": b"one", "test/cat/2.jpg": b"two"}, tmp_path / "made")
    (tmp_path / "out" / "train").mkdir(parents=True)
    hand_over(made, tmp_path / "out", ["train", "test"])
    assert tree(tmp_path / "out") == ["test", "test/cat", "test/cat/2.jpg", "train", "train/cat", "train/cat/1.jpg"]


def test_when_it_fails_half_way_the_place_is_as_it_was(tmp_path: Path) -> None:
    made = as_folder({"train/cat/1.jpg": b"one", "test/cat/2.jpg": b"two"}, tmp_path / "made")
    (tmp_path / "out" / "train").mkdir(parents=True)
    with pytest.raises(FileNotFoundError):
        hand_over(made, tmp_path / "out", ["train", "test", "never made"])
    assert tree(tmp_path / "out") == ["train"]


def test_the_folder_of_the_work_is_hidden_and_goes_away(tmp_path: Path) -> None:
    with staging_folder(tmp_path / "out", ["train"]) as folder:
        assert folder.parent == tmp_path / "out"
        assert folder.name.startswith(".")
    assert tree(tmp_path) == []


def test_it_goes_away_after_a_failure_too_and_what_others_have_there_stays(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "notes.txt").write_text("mine")
    with pytest.raises(ZeroDivisionError), staging_folder(tmp_path / "out", ["train"]):
        raise ZeroDivisionError
    assert tree(tmp_path / "out") == ["notes.txt"]


@pytest.mark.parametrize("taken", ["train/cat/1.jpg", "train"])
def test_a_place_that_is_taken_is_left_alone(tmp_path: Path, taken: str) -> None:
    as_folder({taken: b"older"}, tmp_path)
    with pytest.raises(UsageError, match="already holds train; empty it"), staging_folder(tmp_path, ["train", "test"]):
        pytest.fail("it was given away")
    assert (tmp_path / taken).read_bytes() == b"older"
