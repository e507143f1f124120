"""What a source contains is checked before anything is started or uploaded."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.data.errors import DataSetError
from pipeline.data.inspection import Inspection, checked, inspect


def inspection(counts: dict[str, dict[str, int]], missing: tuple[str, ...]) -> Inspection:
    return Inspection(Path("x"), counts, missing, 8, 0, (), ())


def test_three_pictures_of_a_class_are_too_few() -> None:
    flat = inspection({"train": {"cat": 3, "dog": 7, "eel": 6}}, ("validation", "test"))
    with pytest.raises(DataSetError) as raised:
        checked("pictures", flat)
    assert str(raised.value) == (
        "pictures: too few to train on, 3 of cat, 6 of eel; give each class 7 or more, or leave it out"
    )


def test_with_splits_of_its_own_the_training_pictures_count() -> None:
    few = {"train": {"cat": 4, "dog": 5}, "validation": {"cat": 9, "dog": 9}, "test": {"cat": 9, "dog": 9}}
    with pytest.raises(DataSetError, match="in train, 4 of cat; give each class 5 or more"):
        checked("pictures", inspection(few, ()))


def test_enough_pictures_pass() -> None:
    assert checked("pictures", inspection({"train": {"cat": 7, "dog": 7}}, ("validation", "test"))).classes == {
        "cat": 7,
        "dog": 7,
    }


def test_of_many_small_classes_the_first_are_named() -> None:
    counts = {"train": {f"class {number}": 1 for number in range(9)}}
    with pytest.raises(DataSetError, match="1 of class 0, 1 of class 1, 1 of class 2 and 6 more classes"):
        checked("pictures", inspection(counts, ("validation", "test")))


def test_what_the_script_refuses_has_its_cause_and_its_remedy(tmp_path: Path) -> None:
    with pytest.raises(DataSetError) as raised:
        inspect(str(tmp_path / "missing"))
    assert raised.value.cause == f"{tmp_path / 'missing'} does not exist"
    assert raised.value.remedy


def test_files_that_are_left_out_are_named_and_counted() -> None:
    drops = tuple((f"{number}.txt", "is no picture") for number in range(5))
    notes = list(Inspection(Path("x"), {}, (), 8, 0, (), drops).drop_notes())
    assert notes == [*(f"left out: {number}.txt is no picture" for number in range(3)), "left out: 2 more"]
