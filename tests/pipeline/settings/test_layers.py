"""Layers of settings: which value wins, what is added and removed, and the place of a mistake."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.settings.errors import SettingsError
from pipeline.settings.loading import load
from pipeline.settings.tree import Settings
from tests.support.effects import fields

DROPOUT = "[tuning.ranges.dropout]\ntype = 'continuous'\nmin = 0.0\nmax = 0.5\n"


@pytest.fixture
def stack(tmp_path: Path) -> Any:
    """Writes files and gives their list, first to last."""

    def write(*texts: str) -> str:
        paths = [tmp_path / f"{number}.toml" for number in range(1, len(texts) + 1)]
        for path, text in zip(paths, texts, strict=True):
            path.write_text(text, encoding="utf-8")
        return ":".join(map(str, paths))

    return write


def problems(files: str, environ: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load(files, environ)
    return [str(mistake).rpartition("/")[2] for mistake in caught.value.mistakes]


def test_a_further_file_adds_to_a_table_with_names_of_the_user(stack: Any) -> None:
    more = "[tuning.ranges.weight_decay]\ntype = 'continuous'\nmin = 0.0\nmax = 0.1\n"
    assert list(load(stack(DROPOUT, more)).tuning.ranges) == ["dropout", "weight_decay"]


def test_an_entry_with_a_type_replaces_the_one_below(stack: Any) -> None:
    ranges = load(stack(DROPOUT, "tuning.ranges.dropout = {type = 'categorical', values = [0.1]}")).tuning.ranges
    assert ranges["dropout"].model_dump() == {"type": "categorical", "values": (0.1,)}


def test_an_entry_without_a_type_changes_the_one_below(stack: Any) -> None:
    ranges: Any = load(stack(DROPOUT, "tuning.ranges.dropout.max = 0.4")).tuning.ranges
    assert (ranges["dropout"].min, ranges["dropout"].max) == (0.0, 0.4)


def test_false_removes_an_entry(stack: Any) -> None:
    files = stack("[site.tags]\nteam = 'vision'\nstage = 'test'", "[site.tags]\nstage = false")
    assert dict(load(files).site.tags) == {"team": "vision"}


def test_a_grid_can_be_made_by_a_second_file(stack: Any) -> None:
    grid = "[tuning]\nstrategy = 'Grid'\n[tuning.ranges]\ndropout = {type = 'categorical', values = [0.1, 0.2]}"
    assert load(stack(DROPOUT, grid)).tuning.strategy == "Grid"


def test_a_mistake_has_the_place_where_the_value_was_given_last(stack: Any) -> None:
    files = stack("[tuning]\nmax_jobs = 0", "\n[tuning]\nmax_jobs = -1")
    assert problems(files) == ["2.toml:3: tuning.max_jobs = -1 is too small; write 1 or more"]
    assert problems(files, {"PEDIGREE__TUNING__MAX_JOBS": "0"}) == [
        "PEDIGREE__TUNING__MAX_JOBS: tuning.max_jobs = 0 is too small; write 1 or more"
    ]


def test_lines_inside_a_value_are_not_keys(stack: Any) -> None:
    text = "[pipeline]\ndescription = '''\n[tuning]\nmax_jobs = 0\n'''\n[tuning]\nmax_jobs = 0\n"
    assert problems(stack(text)) == ["1.toml:7: tuning.max_jobs = 0 is too small; write 1 or more"]


@pytest.mark.parametrize(
    ("name", "text", "changed"),
    [
        ("PEDIGREE__TRAINING__HYPERPARAMETERS__PATIENCE", "3", {"training": {"hyperparameters": {"patience": 3}}}),
        (
            "PEDIGREE__TUNING__RANGES__LEARNING_RATE__MIN",
            "0.01",
            {"tuning": {"ranges": {"learning_rate": {"min": 0.01}}}},
        ),
        ("PEDIGREE__SITE__TAGS__cost-center", "42", {"site": {"tags": {"cost-center": "42"}}}),
    ],
)
def test_a_variable_for_one_entry_leaves_the_others_as_they_are(name: str, text: str, changed: Any, stack: Any) -> None:
    expected = merged(Settings().model_dump(by_alias=True), changed)
    assert load(stack(""), {name: text}).model_dump(by_alias=True) == expected


def merged(below: Any, above: Any) -> Any:
    if not isinstance(above, dict):
        return above
    return {**below, **{key: merged(below.get(key, {}), value) for key, value in above.items()}}


def test_a_byte_order_mark_is_accepted(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(b"\xef\xbb\xbf[tuning]\nmax_jobs = 8\n")
    assert load(str(path)).tuning.max_jobs == 8


@pytest.mark.parametrize("name", ["PEDIGREE_TUNING__MAX_JOBS", "PEDIGREE_SETTING"])
def test_an_unknown_variable_with_our_prefix_is_an_error(name: str, stack: Any) -> None:
    assert problems(stack(""), {name: "8"})[0].startswith(f"{name}: is no variable of pedigree")


def test_every_key_can_come_from_a_variable(stack: Any) -> None:
    tree = Settings().model_dump(by_alias=True)
    variables = {
        f"PEDIGREE__{key.upper().replace('.', '__')}": written(at(tree, key)) for key, _, _ in fields(Settings())
    }
    assert load(stack(""), {name: text for name, text in variables.items() if text != "{}"}) == Settings()
    assert len(variables) > 100


def at(tree: Any, key: str) -> Any:
    for part in key.split("."):
        tree = tree[part]
    return tree


def written(value: Any) -> str:
    """A value in the form of a variable: text without quotes, tables and lists in TOML."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        inner = ", ".join(f"{key} = {toml(member)}" for key, member in value.items())
        return f"{{{inner}}}"
    return toml(value)


def toml(value: Any) -> str:
    return written(value) if isinstance(value, dict) else json.dumps(value)
