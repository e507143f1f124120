"""Each rule alone reports its fault at the right place, and no rule reports the near miss."""

from __future__ import annotations

from typing import Any

import pytest

from pedigree.checks.evidence import Evidence
from pedigree.checks.rules import RULES
from pedigree.checks.run import run
from tests.pedigree.checks import cases_deploy, cases_iam, cases_jobs, cases_language
from tests.pedigree.checks.case import Case, made
from tests.pedigree.checks.small import document

PAIRS: tuple[tuple[Case, Evidence], ...] = (
    *((case, case.evidence) for module in (cases_language, cases_jobs, cases_deploy) for case in module.CASES),
    *cases_deploy.WITH_EVIDENCE,
    *cases_iam.WITH_EVIDENCE,
)


def test_the_small_definition_is_clean() -> None:
    assert run(document()) == []


def test_every_rule_has_a_case() -> None:
    assert sorted(case.code for case, _ in PAIRS) == sorted(rule.code for rule in RULES)


def test_codes_are_unique_and_rules_explain_themselves() -> None:
    assert len({rule.code for rule in RULES}) == len(RULES) >= 60
    assert [rule.code for rule in RULES if not rule.explanation or rule.title.endswith(".")] == []


@pytest.mark.parametrize("case", [case for case, _ in PAIRS], ids=lambda case: case.code)
def test_a_fault_is_reported_by_its_rule_alone(case: Case) -> None:
    broken = made(case.wrong)
    found = run(broken, case.evidence)
    assert {finding.code for finding in found} == {case.code}, "\n".join(map(str, found))
    assert any(finding.pointer.startswith(pointer(broken, case.place)) for finding in found), "\n".join(map(str, found))


@pytest.mark.parametrize(("case", "evidence"), PAIRS, ids=lambda parameter: getattr(parameter, "code", ""))
def test_a_near_miss_is_not_reported(case: Case, evidence: Evidence) -> None:
    assert run(made(case.near), evidence) == []


def pointer(broken: dict[str, Any], path: str) -> str:
    """The JSON pointer of a path that begins with the name of a step."""
    name, _, rest = path.partition(".")
    inner = "".join(f"/{part}" for part in rest.split(".") if part)
    return _steps(broken["Steps"], "/Steps").get(name, "") + inner


def _steps(steps: list[dict[str, Any]], at: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for index, step in enumerate(steps):
        found[step["Name"]] = f"{at}/{index}"
        for branch in ("IfSteps", "ElseSteps"):
            found |= _steps(step["Arguments"].get(branch, []), f"{at}/{index}/Arguments/{branch}")
    return found
