"""Settings: where values come from, which one wins, and that they are frozen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from pedigree.toml import tomllib
from pipeline.settings.errors import SettingsError
from pipeline.settings.loading import load
from pipeline.settings.tree import Settings

ROOT = Path(__file__).parents[3]
REFERENCE = ROOT / "docs" / "settings.toml"


def keys(tree: Mapping[str, Any], before: str = "") -> Iterator[str]:
    for name, value in tree.items():
        yield before + name
        if isinstance(value, Mapping):
            yield from keys(value, f"{before}{name}.")


def test_the_reference_has_the_defaults() -> None:
    assert load(str(REFERENCE)) == Settings()


def test_the_projects_own_file_is_valid() -> None:
    assert load(str(ROOT / "settings.toml"))


def test_the_reference_has_every_key() -> None:
    shown = set(keys(tomllib.loads(REFERENCE.read_text(encoding="utf-8"))))
    assert shown == set(keys(Settings().model_dump(by_alias=True)))


def test_any_line_of_the_reference_can_be_omitted(tmp_path: Path) -> None:
    """Except in the tables with names of the user, which are replaced as a whole."""
    text, whole = REFERENCE.read_text(encoding="utf-8"), ("tuning.ranges", "training.hyperparameters", "site.tags")
    lines, section, left_out = text.splitlines(), "", 0
    for index, line in enumerate(lines):
        section = line.split("]")[0][1:] if line.startswith("[") else section
        if " = " in line and not section.startswith(whole):
            mine = tmp_path / "mine.toml"
            mine.write_text("\n".join(lines[:index] + lines[index + 1 :]), encoding="utf-8")
            assert load(str(mine)) == Settings(), line
            left_out += 1
    assert left_out > 100


def test_later_files_override_earlier_ones(tmp_path: Path) -> None:
    base, mine = tmp_path / "base.toml", tmp_path / "mine.toml"
    base.write_text("[tuning]\nmax_jobs = 4\nparallel_jobs = 2\n[quality]\naccuracy = 0.5\n")
    mine.write_text("[tuning]\nmax_jobs = 8\n[tuning.ranges.dropout]\ntype = 'continuous'\nmin = 0.0\nmax = 0.5\n")
    settings = load(f"{base}:{mine}")
    assert (settings.tuning.max_jobs, settings.tuning.parallel_jobs, settings.quality.accuracy) == (8, 2, 0.5)
    assert list(settings.tuning.ranges) == ["dropout"]


def test_the_variable_names_the_files(tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text("[quality]\naccuracy = 0.25\n")
    assert load(environ={"PEDIGREE_SETTINGS": f"{REFERENCE}:{mine}"}).quality.accuracy == 0.25


@pytest.mark.parametrize(
    ("name", "text", "key", "value"),
    [
        ("PEDIGREE__TUNING__MAX_JOBS", "8", "tuning.max_jobs", 8),
        ("PEDIGREE__QUALITY__ACCURACY", "0.9", "quality.accuracy", 0.9),
        ("PEDIGREE__DISTRIBUTED__ENABLED", "false", "distributed.enabled", False),
        ("PEDIGREE__SITE__ACCOUNT", "123456789012", "site.account", "123456789012"),
        ("PEDIGREE__SITE__ACCOUNT", '"123456789012"', "site.account", "123456789012"),
        ("PEDIGREE__SITE__REGION", "eu-central-1", "site.region", "eu-central-1"),
        ("PEDIGREE__IMAGES__TRAINING__VERSION", "2.12", "images.training.version", "2.12"),
        ("PEDIGREE__ENDPOINT__ALARMS__EXTRA", '["a", "b"]', "endpoint.alarms.extra", ("a", "b")),
        ("PEDIGREE__FUNCTIONS__AWAIT__POLL_SECONDS", "90", "functions.await_.poll_seconds", 90),
        ("PEDIGREE__SCHEDULE__PARAMETERS__Epochs", "3", "schedule.parameters", {"Epochs": 3}),
        ("PEDIGREE__SITE__TAGS", "{team = 'vision'}", "site.tags", {"team": "vision"}),
    ],
)
def test_every_key_can_come_from_the_environment(name: str, text: str, key: str, value: Any, tmp_path: Path) -> None:
    empty = tmp_path / "empty.toml"
    empty.touch()
    found: Any = load(str(empty), {name: text})
    for part in key.split("."):
        found = getattr(found, part)
    assert found == value


def test_the_environment_overrides_files_and_options_override_it() -> None:
    environ = {"PEDIGREE__SITE__REGION": "eu-central-1", "PEDIGREE__SITE__ACCOUNT": "123456789012"}
    settings = load(str(REFERENCE), environ, {"site.region": "eu-west-1", "site.account": None})
    assert (settings.site.region, settings.site.account) == ("eu-west-1", "123456789012")


def test_nothing_changes_them_afterwards() -> None:
    settings: Any = Settings()
    with pytest.raises(ValidationError):
        settings.tuning.max_jobs = 3
    with pytest.raises(TypeError):
        settings.tuning.ranges["epochs"] = 1


def test_a_missing_file_is_named() -> None:
    with pytest.raises(SettingsError, match=r"^nowhere\.toml: no such file; name another with --settings"):
        load("nowhere.toml")


def test_a_binary_file_is_named(tmp_path: Path) -> None:
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match=r"cannot be read .*; settings are a TOML file in UTF-8"):
        load(str(binary))


def test_every_mistake_is_reported_not_only_the_first(tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text("[tuning]\nmax_jobs = 0\n[endpoint]\nnam = 'x'\n")
    with pytest.raises(SettingsError) as caught:
        load(str(mine))
    assert [str(mistake).split(": ")[0] for mistake in caught.value.mistakes] == [f"{mine}:2", f"{mine}:4"]
