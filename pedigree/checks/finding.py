"""The result of a check: where something is wrong, what it is, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Severity(IntEnum):
    """How bad a finding is."""

    NOTE = 1
    WARNING = 2
    ERROR = 3

    @property
    def word(self) -> str:
        """The severity as every output format writes it."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Violation:
    """What a rule reports: a JSON pointer into the definition, the cause, and the remedy."""

    pointer: str
    cause: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Finding:
    """A violation with its rule, and the step that it lies in."""

    code: str
    severity: Severity
    pointer: str
    step: str
    cause: str
    remedy: str

    def __str__(self) -> str:
        """One line, for the output of a failed test."""
        return f"{self.code} {self.severity.word} {self.pointer or '/'}: {self.cause}; {self.remedy}"
