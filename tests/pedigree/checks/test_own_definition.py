"""The project's own definition is clean, and a fault anywhere in it is found at its place."""

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
    tried = [way for kind in {way.kind for way in ways} for way in [way for way in ways if way.kind == kind][::EVERY]]
    missed = [way for way in tried if not is_found(way, set(run(way.apply(document))) - clean)]
    assert len(tried) >= 300
    share = 1 - len(missed) / len(tried)
    assert share >= LEAST_FOUND, f"{share:.1%}: {Counter(way.kind for way in missed)} {[m.pointer for m in missed[:5]]}"


def is_found(way: Mutation, findings: set[Finding]) -> bool:
    """Whether a finding is at the place where the definition was broken, or below it."""
    return any(f"{finding.pointer}/".startswith(f"{way.pointer}/") for finding in findings)
