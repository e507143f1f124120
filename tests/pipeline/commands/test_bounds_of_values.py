"""Values of parameters that the settings would refuse are refused at the start, wherever it is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from pedigree.cli.options import ProjectOptions
from pedigree.localaws import process
from pipeline.commands.project import project
from pipeline.settings.errors import SettingsError
from tests.pipeline.commands.test_following import World
from tests.support.cli import ROOT, pedigree
from tests.support.definitions import define
from tests.support.fakes.served_services import serve


def refusals(**values: str) -> list[str]:
    """What the settings say of these values."""
    try:
        project.pipeline(ProjectOptions(str(ROOT / "settings.toml"))).check_values(values)
    except SettingsError as error:
        return [str(mistake) for mistake in error.mistakes]
    return []


@pytest.mark.parametrize(
    ("name", "value", "refusal"),
    [
        ("Epochs", "-1", "training.epochs = -1 is too small; write 1 or more"),
        ("AccuracyThreshold", "2", "quality.accuracy = 2.0 is too large; write 1 or less"),
        ("AccuracyThreshold", "nan", "quality.accuracy = NaN is not finite; write a number"),
        (
            "InputDataUrl",
            "nonsense",
            'data.source = "nonsense" has the wrong form; write it like https://host/images.zip',
        ),
        ("EndpointName", "a b", 'endpoint.name = "a b" has the wrong form; write it like dog-breeds'),
        (
            "AutoscalingMinCapacity",
            "50",
            "autoscaling scales from 50 to 3; min_capacity must not be above max_capacity",
        ),
    ],
)
def test_a_value_out_of_bounds_is_refused_with_what_its_setting_takes(name: str, value: str, refusal: str) -> None:
    (line,) = refusals(**{name: value})
    assert line.startswith(f"{name}={value}: {refusal}")


def test_all_mistakes_are_named_at_once() -> None:
    assert len(refusals(Epochs="-1", AccuracyThreshold="2")) == 2


def test_what_settings_take_is_taken() -> None:
    checksum = f"https://host/images.zip#sha256={'0' * 64}"
    assert refusals(Epochs="10", AccuracyThreshold="0.5", InputDataUrl="s3://images/dogs/") == []
    assert refusals(InputDataUrl=checksum) == []


def test_what_the_settings_do_not_know_is_left_to_others() -> None:
    assert refusals(Epochs="many", Nothing="1") == []


@pytest.fixture
def world() -> Iterator[World]:
    it = World()
    it.executions.definition = json.dumps(define())
    with serve(it.services, it.wire) as it.address:
        yield it


def test_nothing_is_started_with_a_value_out_of_bounds(world: World) -> None:
    done = world("start", "Epochs=-1")
    assert (done.returncode, done.stdout) == (2, "")
    assert "pedigree: Epochs=-1: training.epochs = -1 is too small; write 1 or more\n" in done.stderr


def test_a_run_on_the_local_aws_refuses_it_too(tmp_path: Path) -> None:
    definition, folder = tmp_path / "definition.json", str(tmp_path / "aws")
    definition.write_text(json.dumps(define()))
    try:
        done = pedigree("", "local", "run", str(definition), "--set", "AccuracyThreshold=2", "--folder", folder)
    finally:
        process.down(tmp_path / "aws")
    assert done.returncode == 2
    assert "pedigree: AccuracyThreshold=2: quality.accuracy = 2.0 is too large; write 1 or less\n" in done.stderr
