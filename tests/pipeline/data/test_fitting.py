"""Settings follow from the counts of a data set alone, and every settings tree that they make is valid."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.data.fitting import fit
from pipeline.data.inspection import Inspection
from pipeline.data.settings_file import text
from pipeline.settings.loading import load

LOCAL = Path(__file__).parents[3] / "settings.local.toml"
LACKING = ("validation", "test")


def inspection(
    classes: int = 10, each: int = 180, side: int = 8, gray: float = 1.0, missing: tuple[str, ...] = LACKING
) -> Inspection:
    splits = [split for split in ("train", "validation", "test") if split not in missing]
    counts = {split: {f"class {number}": each for number in range(classes)} for split in splits}
    return Inspection(Path("pictures"), counts, missing, side, gray, ("a.png",), ())


def chosen(**counts: Any) -> Mapping[str, Any]:
    return fit(inspection(**counts)).values


def test_small_gray_pictures_are_signs_that_are_never_mirrored() -> None:
    values = chosen(side=8, gray=1.0)
    assert values["data"]["image_size"] == 32
    assert values["training"]["hyperparameters"]["flip_probability"] == 0
    assert values["training"]["hyperparameters"]["min_crop_area"] == 0.7


def test_photographs_are_mirrored_and_cropped() -> None:
    values = chosen(side=480, gray=0.02)
    assert values["data"]["image_size"] == 64
    assert values["training"]["hyperparameters"]["flip_probability"] == 0.5
    assert values["training"]["hyperparameters"]["min_crop_area"] == 0.35


@pytest.mark.parametrize(("side", "size"), [(1, 32), (32, 32), (33, 48), (49, 64), (4000, 64)])
def test_pictures_keep_their_size_up_to_what_this_machine_trains_in_minutes(side: int, size: int) -> None:
    assert chosen(side=side)["data"]["image_size"] == size


def test_few_pictures_are_seen_more_often_than_many() -> None:
    epochs = [chosen(each=each)["training"]["epochs"] for each in (8, 100, 1000, 100_000)]
    assert epochs == sorted(epochs, reverse=True)
    assert (epochs[0], epochs[-1]) == (40, 3)


def test_a_long_training_is_tried_once_only() -> None:
    assert chosen(each=180)["tuning"]["max_jobs"] == 2
    assert chosen(each=5000)["tuning"]["max_jobs"] == 1


def test_small_classes_give_more_to_test_with() -> None:
    shares = [chosen(each=each)["data"]["splits"]["test"] for each in (10, 100, 5000)]
    assert shares == [0.15, 0.1, 0.05]


@pytest.mark.parametrize(("classes", "threshold"), [(2, 0.625), (10, 0.15), (133, 0.011)])
def test_a_champion_must_be_better_than_naming_the_largest_class(classes: int, threshold: float) -> None:
    assert chosen(classes=classes)["quality"]["accuracy"] == threshold


def test_splits_of_the_source_are_kept_and_all_of_its_training_pictures_used() -> None:
    split = fit(inspection(each=100, missing=()))
    assert "split as the folders say" in split.reasons[1]
    assert "of 1000 pictures" in split.reasons[1]


def test_what_was_chosen_is_said_in_three_lines() -> None:
    assert fit(inspection()).reasons == (
        "1800 pictures in 10 classes, 180 to 180 of each; their shorter side is about 8 pixels, mostly gray",
        "so: 32 pixels, split 80%/10%/10%, 8 epochs of 1440 pictures in batches of 32, never mirrored, as small or "
        "gray pictures may be signs",
        "a champion counts from 15.0% right (naming the largest class: 10.0%); training takes about 4 minutes",
    )


@given(
    classes=st.integers(2, 1000),
    each=st.integers(5, 100_000),
    side=st.integers(1, 10_000),
    gray=st.floats(0, 1),
    missing=st.sampled_from([(), ("validation",), ("test",), LACKING]),
)
def test_the_file_is_valid_on_top_of_the_local_settings(
    tmp_path_factory: pytest.TempPathFactory, **counts: Any
) -> None:
    fitted = fit(inspection(**counts))
    path = tmp_path_factory.getbasetemp() / "settings.data.toml"
    path.write_text(text(fitted, "s3://bucket/data/0123.zip"), encoding="utf-8")
    settings = load(f"{LOCAL}:{path}")
    assert settings.data.source == "s3://bucket/data/0123.zip"
    assert settings.training.epochs == fitted.values["training"]["epochs"]
    assert list(settings.tuning.ranges) == ["learning_rate"]
    assert dict(settings.training.hyperparameters) == fitted.values["training"]["hyperparameters"]
