"""Holding a definition against the rules.

findings = run(json.loads(text))
assert_clean(json.loads(pipeline.definition()))     # in a test
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pedigree.checks.errors import UnknownCodeError
from pedigree.checks.faults import near
from pedigree.checks.finding import Finding, Severity
from pedigree.checks.reading import usable
from pedigree.checks.rule import GROUPS, Rule
from pedigree.checks.rules import RULES
from pedigree.checks.subject import Beside, Subject


def run(
    document: Mapping[str, Any],
    beside: Beside | None = None,
    *,
    select: Iterable[str] = (),
    ignore: Iterable[str] = (),
) -> list[Finding]:
    """Everything that the rules find in a definition, in the order of the document."""
    subject = Subject(usable(document), beside or Beside())
    step_of = _Steps(subject)
    findings = {
        Finding(one.code, one.severity, spot.pointer, step_of(spot.pointer), spot.cause, spot.remedy): None
        for one in chosen(select, ignore)
        for spot in one.look(subject)
    }
    return sorted(findings, key=lambda one: (-one.severity, one.code, _natural(one.pointer)))


def assert_clean(
    document: Mapping[str, Any],
    beside: Beside | None = None,
    *,
    fail_on: Severity = Severity.WARNING,
    ignore: Iterable[str] = (),
) -> None:
    """Fail with a list of all that is wrong, a line each."""
    found = [one for one in run(document, beside, ignore=ignore) if one.severity >= fail_on]
    assert not found, "\n".join(map(str, found))


def chosen(select: Iterable[str], ignore: Iterable[str]) -> Sequence[Rule]:
    """The rules of some codes or beginnings of codes, without others."""
    wanted, unwanted = tuple(select), tuple(ignore)
    for one in (*wanted, *unwanted):
        if not one or not any(rule.code.startswith(one) for rule in RULES):
            hint = near(one, [*GROUPS, *(rule.code for rule in RULES)]) or "`pedigree check --explain` tells of each"
            raise UnknownCodeError(f"no rule has a code like {one}; write one like REF001, or REF for all; {hint}")
    return [
        rule
        for rule in RULES
        if (not wanted or rule.code.startswith(wanted)) and not (unwanted and rule.code.startswith(unwanted))
    ]


class _Steps:
    """The innermost step around a place."""

    def __init__(self, subject: Subject) -> None:
        self._names = {step.pointer: step.name for step in subject.steps}

    def __call__(self, pointer: str) -> str:
        parts = pointer.split("/")
        places = ("/".join(parts[:length]) for length in range(len(parts), 2, -1))
        return next((self._names[place] for place in places if place in self._names), "")


def _natural(pointer: str) -> tuple[tuple[int, str], ...]:
    return tuple(
        (int(part), "") if part.isascii() and part.isdigit() and len(part) < 10 else (-1, part)
        for part in pointer.split("/")
    )
