"""A rule: a function from the definition under check to violations, with a code that never changes its meaning."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from inspect import cleandoc

from pedigree.checks.finding import Severity, Violation
from pedigree.checks.subject import Subject

Check = Callable[[Subject], Iterator[Violation]]
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
    """A check with its manual page: the first line of the docstring is the title, the rest says why it matters."""

    code: str
    severity: Severity
    title: str
    explanation: str
    check: Check

    @property
    def group(self) -> str:
        return GROUPS[self.code[:3]]


def rule(code: str, severity: Severity) -> Callable[[Check], Rule]:
    """A decorator that makes a rule of a function."""

    def decorate(check: Check) -> Rule:
        title, _, rest = cleandoc(check.__doc__ or "").partition("\n")
        explanation = re.sub(r"(?<!\n)\n(?!\n)", " ", rest.strip())
        return Rule(code, severity, title.rstrip("."), explanation, check)

    return decorate
