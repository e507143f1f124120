"""Findings that the settings accept; an entry that no longer matches a finding is reported."""

from __future__ import annotations

import pytest

from pedigree.checks.ignoring import Ignored, without
from pedigree.checks.run import run
from tests.pedigree.checks.case import made
from tests.pedigree.checks.small import get

FOUND = run(made((("Deploy.Arguments.x", get("Parameters.A")), ("Train.Arguments.Surplus", "x"))))


@pytest.mark.parametrize(
    ("entry", "left"),
    [
        (Ignored("REF001", "known"), {"LIM002"}),
        (Ignored("REF", "known", "Deploy"), {"LIM002"}),
        (Ignored("REF001", "known", "Train"), {"REF001", "LIM002"}),
    ],
)
def test_a_code_is_ignored_in_its_step_or_everywhere(entry: Ignored, left: set[str]) -> None:
    findings, unused = without(FOUND, [entry])
    assert {finding.code for finding in findings} == left
    assert bool(unused) is (entry.step == "Train")


def test_an_entry_without_a_finding_is_reported() -> None:
    _, (line,) = without([], [Ignored("CST004", "short", "Tune")])
    assert line == "CST004 in Tune is ignored, but no finding matches it; remove it from checks.ignore"
