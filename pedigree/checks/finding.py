"""What a check finds: where, what is wrong, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Severity(IntEnum):
    """How bad it is."""

    NOTE = 1
    WARNING = 2
    ERROR = 3

    @property
    def word(self) -> str:
        """The severity as every output writes it."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Spot:
    """What a rule tells: a JSON pointer into the definition, what is wrong there, and the remedy."""

    pointer: str
    cause: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Finding:
    """A spot with the rule that found it, and the step in which it lies."""

    code: str
    severity: Severity
    pointer: str
    step: str
    cause: str
    remedy: str

    def __str__(self) -> str:
        """One line for whoever reads a failed test."""
        return f"{self.code} {self.severity.word} {self.pointer or '/'}: {self.cause}; {self.remedy}"
