"""Every action in iam/ is needed: the run succeeds with all of them, and fails without any one, naming it.

What nothing on this machine can need stays for a reason that somebody has reviewed.
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


def test_every_action_is_proven_or_stays_for_a_reason(proofs: Mapping[Permission, Proof]) -> None:
    unneeded = [str(one) for one in permissions() if one not in proofs and not on_aws.reason(one)]
    assert not unneeded, "needed by nothing: take them out, or say in tests/proof/on_aws.py why they stay"


def test_what_stays_for_a_reason_is_not_proven(proofs: Mapping[Permission, Proof]) -> None:
    assert [str(one) for one in proofs if on_aws.reason(one)] == []


def test_a_part_that_lacks_an_action_is_told_so_by_its_name(proofs: Mapping[Permission, Proof]) -> None:
    for right, proof in proofs.items():
        assert names_permission(right, proof.failure)


def test_the_page_says_what_was_proven(proofs: Mapping[Permission, Proof]) -> None:
    assert PAGE.read_text(encoding="utf-8") == page(proofs), "make permissions writes it anew"
