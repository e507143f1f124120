"""What a rule is: a function from what is checked to spots, with a code that never changes its meaning."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from inspect import cleandoc

from pedigree.checks.finding import Severity, Spot
from pedigree.checks.subject import Subject

Look = Callable[[Subject], Iterator[Spot]]
GROUPS = {
    "STR": "structure",
    "REF": "references",
    "TYP": "types",
    "LIM": "limits",
    "SCR": "scripts and metrics",
    "CON": "containers and machines",
    "NET": "network and encryption",
    "DEP": "deployment and functions",
    "SCH": "schedules",
    "IAM": "roles and policies",
    "CST": "cost and cache",
}


@dataclass(frozen=True)
class Rule:
    """A rule: its docstring's first line is the title, the rest explains why it matters."""

    code: str
    severity: Severity
    title: str
    explanation: str
    look: Look

    @property
    def group(self) -> str:
        """What the rule is about."""
        return GROUPS[self.code[:3]]


def rule(code: str, severity: Severity) -> Callable[[Look], Rule]:
    """Make a rule of a function."""

    def made(look: Look) -> Rule:
        title, _, rest = cleandoc(look.__doc__ or "").partition("\n")
        explanation = re.sub(r"(?<!\n)\n(?!\n)", " ", rest.strip())
        return Rule(code, severity, title.rstrip("."), explanation, look)

    return made
