"""The project's own definition has nothing wrong with it, and whatever breaks it is found at its place."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings

from checks.archives import sources
from checks.finding import Severity
from checks.run import assert_clean, run
from checks.subject import Beside
from tests.checks.mutations import mutations
from tests.definitions import define
from tests.strategies import Values, valid_settings

ROOT = Path(__file__).parents[2]
GOLDEN = sorted((ROOT / "tests" / "golden").glob("*.json"))
SCRIPTS = Beside(scripts=sources(ROOT / "entrypoints"))
LEAST_FOUND = 0.95
EVERY = 3
"""Of more than a thousand ways; all of them take ten seconds."""


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_it_is_clean_with_its_scripts(path: Path) -> None:
    assert_clean(json.loads(path.read_text()), SCRIPTS)


@settings(max_examples=40)
@given(valid_settings())
def test_no_valid_settings_make_an_error(values: Values) -> None:
    assert_clean(define(values), fail_on=Severity.ERROR)


def test_what_breaks_it_is_found_at_its_place() -> None:
    document = json.loads((ROOT / "tests" / "golden" / "definition.json").read_text())
    clean = set(run(document))
    ways = list(mutations(document))[::EVERY]
    missed = []
    for way in ways:
        found = set(run(way.apply(document))) - clean
        if not any(one.pointer == way.pointer or one.pointer.startswith(f"{way.pointer}/") for one in found):
            missed.append(way)
    assert len(ways) >= 300
    share = 1 - len(missed) / len(ways)
    assert share >= LEAST_FOUND, f"{share:.1%}: {Counter(one.kind for one in missed)} {[m.pointer for m in missed[:5]]}"
