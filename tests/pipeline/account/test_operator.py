"""The operator's policies allow every call that the commands make."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.account import destroy, roles
from tests.policies.operator_actions import actions, refused
from tests.support.accounts import RecordedClients, account, apply_resources, settings, upsert_resources
from tests.support.manual_changes import independent_rounds
from tests.support.used_account import use_account


@pytest.fixture
def calls(empty_account: None, handlers: Path) -> RecordedClients:
    """Every call of making, mending and removing all of it."""
    watched = RecordedClients()
    everything = upsert_resources(handlers, {"schedule.enabled": True})
    apply_resources(everything, account(watched))
    for hands in independent_rounds():
        for hand in hands:
            hand.does()
        apply_resources(everything, account(watched))
    apply_resources(destroy.resources(settings(), data=True), account(watched))
    use_account(handlers)
    apply_resources(destroy.resources(settings(), data=True), account(watched))
    return watched


def test_the_operator_may_make_every_call(calls: RecordedClients) -> None:
    needed = {action for service, operation, _ in calls.calls for action in actions(service, operation)}
    assert len(needed) > 100
    assert refused(needed) == []


def test_each_role_has_room_for_its_policy() -> None:
    """IAM counts the characters of a role's inline policies, white space left out."""
    for role, documents in roles.documents(settings()).items():
        if role != "operator":
            assert len(json.dumps(documents.policy, separators=(",", ":"))) <= 10_240, role
