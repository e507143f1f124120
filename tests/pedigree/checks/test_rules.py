"""Each rule catches what it is for, at its place and alone, and leaves a near miss alone."""

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
    *((one, one.beside) for module in (cases_language, cases_jobs, cases_deploy) for one in module.CASES),
    *cases_deploy.GIVEN_BESIDE,
    *cases_iam.GIVEN_BESIDE,
)


def test_the_small_definition_is_clean() -> None:
    assert run(document()) == []


def test_every_rule_has_a_case() -> None:
    assert sorted(case.code for case, _ in PAIRS) == sorted(rule.code for rule in RULES)


def test_codes_are_unique_and_rules_explain_themselves() -> None:
    assert len({rule.code for rule in RULES}) == len(RULES) >= 60
    assert [rule.code for rule in RULES if not rule.explanation or rule.title.endswith(".")] == []


@pytest.mark.parametrize("case", [case for case, _ in PAIRS], ids=lambda case: case.code)
def test_a_rule_alone_catches_what_it_is_for(case: Case) -> None:
    broken = made(case.wrong)
    found = run(broken, case.beside)
    assert {one.code for one in found} == {case.code}, "\n".join(map(str, found))
    assert any(one.pointer.startswith(pointer(broken, case.place)) for one in found), "\n".join(map(str, found))


@pytest.mark.parametrize(("case", "beside"), PAIRS, ids=lambda one: getattr(one, "code", ""))
def test_a_near_miss_is_left_alone(case: Case, beside: Evidence) -> None:
    assert run(made(case.near), beside) == []


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
