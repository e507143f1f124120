"""What a case of a rule is: a definition that it alone catches, and one beside it that it leaves alone."""

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
    beside: Evidence = field(default_factory=Evidence)


def made(puts: Puts) -> Document:
    """The small definition with these values."""
    changed = document()
    for path, value in puts:
        put(changed, path, value)
    return changed


def one(code: str, path: str, wrong: Any, near: Any, place: str = "") -> Case:
    """A case of one value; it is found there, unless another place is named."""
    return Case(code, place or path, ((path, wrong),), ((path, near),))
