"""The layout of a source is found by its paths alone, or reported as unknown."""

from __future__ import annotations

import pytest

from dataset import DroppedFile
from errors import DataError
from layouts import SPLITS, Original, parse_layout


def tree(*splits: str, above: str = "") -> list[str]:
    return [f"{above}{split}/{name}/1.jpg" for split in splits for name in ("cat", "dog")]


@pytest.mark.parametrize("validation", ["valid", "validation", "val", "Valid"])
@pytest.mark.parametrize("above", ["", "dogImages/", "data/dogImages/"])
def test_splits_are_found_by_any_of_their_names(validation: str, above: str) -> None:
    layout = parse_layout([*tree("train", validation, "test", above=above), f"{above}README.md"])
    assert layout.classes == ("cat", "dog")
    assert layout.missing == ()
    assert {(original.split, original.class_name) for original in layout.originals} == {
        (split, name) for split in SPLITS for name in ("cat", "dog")
    }


@pytest.mark.parametrize("above", ["", "images/", "a/b/"])
def test_one_folder_per_class_is_all_training_until_it_is_split(above: str) -> None:
    layout = parse_layout(tree("", above=above.rstrip("/")) if above else ["cat/1.jpg", "dog/1.jpg"])
    assert layout.classes == ("cat", "dog")
    assert layout.missing == ("validation", "test")
    assert {original.split for original in layout.originals} == {"train"}


def test_a_split_that_is_missing_is_named() -> None:
    assert parse_layout(tree("train", "test")).missing == ("validation",)
    assert parse_layout(tree("train")).missing == ("validation", "test")


def test_a_class_may_be_called_train_or_test() -> None:
    assert parse_layout(["bus/1.jpg", "train/1.jpg", "test/1.jpg"]).classes == ("bus", "test", "train")


def test_files_in_subfolders_belong_to_the_class() -> None:
    assert Original("cat/2020/may/1.jpg", "train", "cat") in parse_layout(["cat/2020/may/1.jpg", "dog/1.jpg"]).originals


def test_a_folder_without_a_picture_is_a_class_all_the_same() -> None:
    assert parse_layout([*tree("train", "valid", "test"), "train/fish/"]).classes == ("cat", "dog", "fish")


def test_files_of_macos_and_tools_are_ignored() -> None:
    names = tree("train", "valid", "test", above="dogs/")
    left = [
        "__MACOSX/dogs/train/cat/._1.jpg",
        ".DS_Store",
        "dogs/.DS_Store",
        "dogs/train/.git/1.jpg",
        "dogs/train/cat/._1.jpg",
    ]
    assert parse_layout([*names, *left]) == parse_layout(names)


def test_one_class_in_two_spellings_of_an_accent_is_one() -> None:
    assert parse_layout(["train/caf\u00e9/1.jpg", "test/cafe\u0301/1.jpg", "test/bar/1.jpg"]).classes == (
        "bar",
        "caf\u00e9",
    )


def test_every_dropped_file_has_a_reason() -> None:
    stray = ["train/cat/notes.txt", "train/loose.jpg", "unlabeled/cat/1.jpg"]
    layout = parse_layout([*tree("train", "valid", "test"), *stray])
    assert set(layout.drops) == {
        DroppedFile("train/cat/notes.txt", "does not have the name of a picture (.txt)"),
        DroppedFile("train/loose.jpg", "is not in a folder of a class"),
        DroppedFile("unlabeled/cat/1.jpg", "is outside of test, train, valid"),
    }


def test_the_order_of_the_names_is_no_matter() -> None:
    names = [*tree("train", "valid", "test"), "train/cat/notes.txt", "train/dog/2.png"]
    assert parse_layout(reversed(names)) == parse_layout(names)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([], "has no folder of pictures; it takes train/"),
        (["1.jpg", "2.jpg"], "has no folder of pictures; it takes train/"),
        (tree("valid", "test"), "has test and valid but no train; it takes train/"),
        (tree("train", "valid", "val"), "has both val/ and valid/, which mean the same; keep one"),
    ],
)
def test_an_unknown_layout_is_reported(names: list[str], message: str) -> None:
    with pytest.raises(DataError, match=message):
        parse_layout(names)
