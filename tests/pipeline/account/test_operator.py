"""Whoever operates the pipeline may make every call that the commands make."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.account import destroy, roles
from tests.policies.operator_actions import actions, refused
from tests.support.accounts import Watched, account, brought_about, parts, settings
from tests.support.manual_changes import rounds
from tests.support.used_account import use_account


@pytest.fixture
def calls(empty_account: None, handlers: Path) -> Watched:
    """Every call of making, mending and removing all of it."""
    watched = Watched()
    everything = parts(handlers, {"schedule.enabled": True})
    brought_about(everything, account(watched))
    for hands in rounds():
        for hand in hands:
            hand.does()
        brought_about(everything, account(watched))
    brought_about(destroy.parts(settings(), data=True), account(watched))
    use_account(handlers)
    brought_about(destroy.parts(settings(), data=True), account(watched))
    return watched


def test_the_operator_may_make_every_call(calls: Watched) -> None:
    needed = {action for service, operation, _ in calls.calls for action in actions(service, operation)}
    assert len(needed) > 100
    assert refused(needed) == []


def test_each_role_has_room_for_its_policy() -> None:
    """IAM counts the characters of a role's inline policies, white space left out."""
    for role, documents in roles.documents(settings()).items():
        if role != "operator":
            assert len(json.dumps(documents.policy, separators=(",", ":"))) <= 10_240, role
