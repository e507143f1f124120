"""Runs the rules over a definition.

findings = run(json.loads(text))
assert_clean(json.loads(pipeline.definition()))     # in a test
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pedigree.checks.errors import UnknownCodeError
from pedigree.checks.evidence import Evidence
from pedigree.checks.finding import Finding, Severity
from pedigree.checks.reading import usable
from pedigree.checks.rule import GROUPS, Rule
from pedigree.checks.rules import RULES
from pedigree.checks.subject import Subject
from pedigree.language.near import did_you_mean


def run(
    document: Mapping[str, Any],
    evidence: Evidence | None = None,
    *,
    select: Iterable[str] = (),
    ignore: Iterable[str] = (),
) -> list[Finding]:
    """All findings in a definition: the worst first, then by code, then in the order of the document."""
    subject = Subject(usable(document), evidence or Evidence())
    step_at = _StepNames(subject)
    findings = {
        Finding(
            rule.code, rule.severity, violation.pointer, step_at(violation.pointer), violation.cause, violation.remedy
        ): None
        for rule in chosen(select, ignore)
        for violation in rule.check(subject)
    }
    return sorted(findings, key=lambda finding: (-finding.severity, finding.code, _natural(finding.pointer)))


def assert_clean(
    document: Mapping[str, Any],
    evidence: Evidence | None = None,
    *,
    fail_on: Severity = Severity.WARNING,
    ignore: Iterable[str] = (),
) -> None:
    """Fail with one line for each finding that is bad enough."""
    findings = [finding for finding in run(document, evidence, ignore=ignore) if finding.severity >= fail_on]
    assert not findings, "\n".join(map(str, findings))


def chosen(select: Iterable[str], ignore: Iterable[str]) -> Sequence[Rule]:
    """The rules whose codes begin with one of the selected prefixes and with none of the ignored ones."""
    selected, ignored = tuple(select), tuple(ignore)
    for prefix in (*selected, *ignored):
        if not prefix or not any(rule.code.startswith(prefix) for rule in RULES):
            hint = did_you_mean(prefix, [*GROUPS, *(rule.code for rule in RULES)])
            remedy = hint or "`pedigree check --explain CODE` explains one"
            raise UnknownCodeError(f"no rule has a code like {prefix}", f"write REF001, or REF for all; {remedy}")
    return [
        rule
        for rule in RULES
        if (not selected or rule.code.startswith(selected)) and not (ignored and rule.code.startswith(ignored))
    ]


class _StepNames:
    """Finds the innermost step around a pointer."""

    def __init__(self, subject: Subject) -> None:
        self._names = {step.pointer: step.name for step in subject.all_steps}

    def __call__(self, pointer: str) -> str:
        parts = pointer.split("/")
        around = ("/".join(parts[:length]) for length in range(len(parts), 2, -1))
        return next((self._names[outer] for outer in around if outer in self._names), "")


def _natural(pointer: str) -> tuple[tuple[int, str], ...]:
    """A sort key that puts /Steps/9 before /Steps/10."""
    return tuple(
        (int(part), "") if part.isascii() and part.isdigit() and len(part) < 10 else (-1, part)
        for part in pointer.split("/")
    )
