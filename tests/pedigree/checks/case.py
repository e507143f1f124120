"""A case of a rule: a definition with a fault that only this rule reports, and a near miss that no rule reports."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pedigree.checks.evidence import Evidence
from tests.pedigree.checks.small import Document, document, put

Puts = tuple[tuple[str, Any], ...]


@dataclass(frozen=True)
class Case:
    """Values put at paths of the small definition, for a fault and for a near miss; place is where it is found."""

    code: str
    place: str
    wrong: Puts
    near: Puts
    evidence: Evidence = field(default_factory=Evidence)


def made(puts: Puts) -> Document:
    """The small definition with these values."""
    changed = document()
    for path, value in puts:
        put(changed, path, value)
    return changed


def value_case(code: str, path: str, wrong: Any, near: Any, place: str = "") -> Case:
    """A case of one value; the finding is at its path, unless another place is given."""
    return Case(code, place or path, ((path, wrong),), ((path, near),))
