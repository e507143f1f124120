"""Findings that somebody has looked at and left as they are, each for a reason that is written down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pedigree.checks.finding import Finding


@dataclass(frozen=True)
class Ignored:
    """A code, or the beginning of codes, in a step or everywhere, and why it is left as it is."""

    code: str
    reason: str
    step: str = ""

    def __str__(self) -> str:
        """What is ignored, and where."""
        return f"{self.code} in {self.step}" if self.step else self.code

    def covers(self, finding: Finding) -> bool:
        """Whether a finding is one of those."""
        return finding.code.startswith(self.code) and self.step in ("", finding.step)


def without(found: Sequence[Finding], ignored: Sequence[Ignored]) -> tuple[list[Finding], list[str]]:
    """The findings that are left, and a line for each entry that leaves nothing out any more."""
    kept = [one for one in found if not any(each.covers(one) for each in ignored)]
    unused = [
        f"{each} is ignored, and is not found; remove it from checks.ignore"
        for each in ignored
        if not any(each.covers(one) for one in found)
    ]
    return kept, unused
