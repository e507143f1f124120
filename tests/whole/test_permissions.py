"""Every action in iam/ is needed: without it, a step of the run fails and names it.

An action that nothing on this machine can need has a reviewed reason to stay.
"""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.proof import on_aws
from tests.proof.everything import PAGE, proven_permissions
from tests.proof.permissions import Permission, permissions
from tests.proof.proving import Proof, names_permission
from tests.proof.table import page


@pytest.fixture(scope="module")
def proofs() -> Mapping[Permission, Proof]:
    return proven_permissions()


def test_every_action_is_proven_or_has_a_reason(proofs: Mapping[Permission, Proof]) -> None:
    unneeded = [
        str(permission) for permission in permissions() if permission not in proofs and not on_aws.reason(permission)
    ]
    assert not unneeded, "nothing needs them: remove them, or give a reason in tests/proof/on_aws.py"


def test_an_action_that_has_a_reason_is_not_proven(proofs: Mapping[Permission, Proof]) -> None:
    assert [str(permission) for permission in proofs if on_aws.reason(permission)] == []


def test_a_step_that_lacks_an_action_names_it_in_its_failure(proofs: Mapping[Permission, Proof]) -> None:
    for right, proof in proofs.items():
        assert names_permission(right, proof.failure)


def test_the_page_matches_the_proof(proofs: Mapping[Permission, Proof]) -> None:
    assert PAGE.read_text(encoding="utf-8") == page(proofs), "run make permissions"
