"""Leaves out findings that the settings accept. Each entry names its reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pedigree.checks.finding import Finding


@dataclass(frozen=True)
class Ignored:
    """A code, or the beginning of codes, that is accepted in one step or everywhere, and why."""

    code: str
    reason: str
    step: str = ""

    def __str__(self) -> str:
        return f"{self.code} in {self.step}" if self.step else self.code

    def covers(self, finding: Finding) -> bool:
        return finding.code.startswith(self.code) and self.step in ("", finding.step)


def without(findings: Sequence[Finding], ignored: Sequence[Ignored]) -> tuple[list[Finding], list[str]]:
    """The findings that are not ignored, and a line for each entry that matches no finding."""
    remaining = [finding for finding in findings if not any(entry.covers(finding) for entry in ignored)]
    unused = [
        f"{entry} is ignored, but no finding matches it; remove it from checks.ignore"
        for entry in ignored
        if not any(entry.covers(finding) for finding in findings)
    ]
    return remaining, unused
