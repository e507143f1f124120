"""Every setting reaches the steps that it is about, and no other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from pipeline.settings.tree import Settings
from tests.support.effects import BESIDE_THE_DEFINITION, EFFECTS, Effect

TABLES_OF_ONES_OWN = ("tuning.ranges", "training.hyperparameters", "site.tags")


def keys(tree: Mapping[str, Any], before: str = "") -> Iterator[str]:
    for name, value in tree.items():
        key = f"{before}{name}"
        if isinstance(value, Mapping) and value and key not in TABLES_OF_ONES_OWN:
            yield from keys(value, f"{key}.")
        else:
            yield key


@pytest.mark.parametrize("effect", EFFECTS, ids=lambda effect: effect.key)
def test_a_setting_changes_what_it_is_about(effect: Effect) -> None:
    assert effect.seen() == set(effect.changes.split())


def test_no_setting_is_forgotten() -> None:
    everything = list(keys(Settings().model_dump(by_alias=True)))
    told = {effect.key for effect in EFFECTS}
    assert sorted(told) == sorted(key for key in everything if not f"{key}.".startswith(beside()))


def beside() -> tuple[str, ...]:
    return tuple(f"{key}." for key in BESIDE_THE_DEFINITION)
