"""The whole proof."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tests.proof.journeys import JOURNEYS
from tests.proof.proving import Journey, Proof, proofs
from tests.proof.rights import Right

PAGE = Path(__file__).resolve().parents[2] / "docs" / "permissions.md"


def proven(journeys: tuple[Journey, ...] = JOURNEYS) -> Mapping[Right, Proof]:
    """What is proven, each right by the first part that fails without it."""
    found: dict[Right, Proof] = {}
    for journey in journeys:
        for proof in proofs(journey, known=frozenset(found)):
            found[proof.right] = proof
    return found
