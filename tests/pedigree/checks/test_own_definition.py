"""The project's own definition has nothing wrong with it, and whatever breaks it is found at its place."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from pedigree.checks.archives import sources
from pedigree.checks.evidence import Evidence
from pedigree.checks.finding import Finding
from pedigree.checks.run import assert_clean, run
from tests.pedigree.checks.mutations import Mutation, mutations

ROOT = Path(__file__).parents[3]
GOLDEN = sorted((ROOT / "tests" / "golden").glob("*.json"))
SCRIPTS = Evidence(scripts=sources(ROOT / "entrypoints"))
LEAST_FOUND = 0.95
EVERY = 3
"""Of each kind of more than a thousand ways; all of them take ten seconds."""


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_it_is_clean_with_its_scripts(path: Path) -> None:
    assert_clean(json.loads(path.read_text()), SCRIPTS)


def test_what_breaks_it_is_found_at_its_place() -> None:
    document = json.loads((ROOT / "tests" / "golden" / "definition.json").read_text())
    clean = set(run(document))
    ways = list(mutations(document))
    assert len(ways) >= 1000
    tried = [way for kind in {one.kind for one in ways} for way in [one for one in ways if one.kind == kind][::EVERY]]
    missed = [way for way in tried if not is_told(way, set(run(way.apply(document))) - clean)]
    assert len(tried) >= 300
    share = 1 - len(missed) / len(tried)
    assert share >= LEAST_FOUND, f"{share:.1%}: {Counter(one.kind for one in missed)} {[m.pointer for m in missed[:5]]}"


def is_told(way: Mutation, found: set[Finding]) -> bool:
    """Whether a finding lies where the definition was broken, or inside of it."""
    return any(one.pointer == way.pointer or one.pointer.startswith(f"{way.pointer}/") for one in found)
