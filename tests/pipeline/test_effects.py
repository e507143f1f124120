"""Settings reach the definition. tests/golden/effects.txt lists what each of them changes there."""

from __future__ import annotations

import re

import pytest

from pipeline.settings.parameters import DeclaredParameter, declare
from pipeline.settings.tree import Settings
from tests.golden import EFFECTS

# Settings of what is made in the account beside the definition: functions, schedule, roles. The Python of an image is
# part of its address for some versions only; other tests compare it with the SDK's tables.
BESIDE_THE_DEFINITION = (
    *("pipeline.description", "pipeline.parallel_steps", "functions", "schedule", "checks"),
    *(f"site.roles.{name}" for name in ("pipeline", "deploy", "await", "autoscale", "predict", "scheduler", "ec2")),
    *(f"images.{family}.python" for family in ("training", "distributed", "inference")),
)


def effects() -> dict[str, set[str]]:
    lines = EFFECTS.read_text(encoding="utf-8").splitlines()
    matches = [re.fullmatch(r"(\S+) = .*: ([\w ]+)", line) for line in lines]
    return {match[1]: set(match[2].split()) for match in matches if match}


def test_every_setting_changes_the_definition_or_is_about_the_account() -> None:
    without_effect = {key for key, changed in effects().items() if changed == {"nothing"}}
    sections = tuple(f"{section}." for section in BESIDE_THE_DEFINITION)
    assert without_effect == {key for key in effects() if f"{key}.".startswith(sections)}


@pytest.mark.parametrize("parameter", declare(Settings()), ids=lambda parameter: parameter.name)
def test_the_default_of_a_parameter_changes_that_parameter_and_nothing_else(parameter: DeclaredParameter) -> None:
    assert effects()[parameter.key] == {parameter.name}
