"""A step runs only where all that it waits for runs: what is never true is an error, the rest is told."""

from __future__ import annotations

from typing import Any

import pytest

from pedigree.checks.evidence import Evidence
from pedigree.checks.run import run
from tests.pedigree.checks.small import deploy, document, named

LAST = "/Steps/5/DependsOn"


@pytest.mark.parametrize(
    ("waits", "found"),
    [
        (["Train"], {}),
        (["Register"], {"REF017": f"{LAST}/0"}),
        (["Train", "Complain"], {"REF017": f"{LAST}/1"}),
        (["Register", "Wait"], {"REF017": f"{LAST}/0"}),
        (["Register", "Complain"], {"REF010": f"{LAST}/1"}),
    ],
)
def test_a_step_may_wait_for_one_branch_and_never_for_both(waits: list[str], found: dict[str, str]) -> None:
    assert reported(step("Last", waits)) == found


def test_what_waits_for_a_step_that_never_runs_is_not_reported_again() -> None:
    assert reported(step("Last", ["Register", "Complain"]), step("After", ["Last"])) == {"REF010": f"{LAST}/1"}


def test_both_branches_may_be_needed_by_way_of_other_steps() -> None:
    others = step("Approve", ["Register"]), step("Report", ["Complain"]), step("Last", ["Approve", "Report"])
    found = reported(*others)
    assert found.pop("REF010") == "/Steps/7/DependsOn/1"
    assert set(found) == {"REF017"}


def step(name: str, waits: list[str]) -> dict[str, Any]:
    return {**deploy(), "Name": name, "Arguments": {}, "DependsOn": waits}


def reported(*steps: dict[str, Any]) -> dict[str, str]:
    """The codes that a definition with more steps gets, with the last place of each; Complain is in the else branch."""
    whole = document()
    named(whole, "Gate")["Arguments"]["ElseSteps"] = [step("Complain", [])]
    whole["Steps"] += steps
    return {finding.code: finding.pointer for finding in run(whole, Evidence())}
