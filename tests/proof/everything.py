"""The whole proof."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tests.proof.permissions import Permission
from tests.proof.proving import Proof, Scenario, prove
from tests.proof.scenarios import SCENARIOS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "permissions.md"


def proven_permissions(scenarios: tuple[Scenario, ...] = SCENARIOS) -> Mapping[Permission, Proof]:
    """All permissions that are proven, each by the first step that uses it."""
    found: dict[Permission, Proof] = {}
    for scenario in scenarios:
        for proof in prove(scenario, proven=frozenset(found)):
            found[proof.permission] = proof
    return found
