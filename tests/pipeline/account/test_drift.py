"""Manual changes are named in the plan, and an upsert restores what settings say."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pedigree.account.plan import ApiCall, ManagedResource, plan
from tests.support.accounts import (
    RecordedClients,
    account,
    apply_resources,
    change_lines,
    client,
    reasons,
    state,
    upsert_resources,
)
from tests.support.fakes.aws import ACCOUNT, REGION
from tests.support.manual_changes import (
    BUCKET,
    EVERYTHING,
    MANUAL_CHANGES,
    PREDICT,
    RULE,
    code,
    independent_rounds,
    other_code,
)

pytestmark = pytest.mark.usefixtures("made_account")


@pytest.fixture(scope="module")
def resources(handlers: Path) -> list[ManagedResource]:
    """All resources that an upsert can have."""
    return upsert_resources(handlers, {"schedule.enabled": True})


@pytest.fixture(scope="module")
def whole(made_account: None, resources: list[ManagedResource]) -> Any:
    """An account with all resources, before any manual change."""
    apply_resources(resources, account())
    return state()


@pytest.mark.parametrize("name", MANUAL_CHANGES)
def test_it_is_named_and_mended_and_nothing_else_is_touched(
    name: str, whole: Any, resources: list[ManagedResource]
) -> None:
    hand, watched = MANUAL_CHANGES[name], RecordedClients()
    hand.does()
    done = apply_resources(resources, account(watched))
    assert change_lines(done)[0] == hand.what
    assert hand.why in (*done.changes[0].why, "")
    assert tuple(change_lines(done)[1:]) == hand.besides
    planned = [
        f"{call.service} {call.operation}"
        for change in done.changes
        for call in change.calls
        if isinstance(call, ApiCall)
    ]
    assert watched.writing() == planned
    assert plan(resources, account()).changes == ()


def test_afterwards_all_is_as_it_was(whole: Any) -> None:
    after = state()
    for kind, there in whole.items():
        assert after[kind] == there, kind


def test_what_was_meddled_with_in_many_places_is_mended_at_once(whole: Any, resources: list[ManagedResource]) -> None:
    for hands in independent_rounds():
        for hand in hands:
            hand.does()
        assert {hand.what for hand in hands} <= set(change_lines(apply_resources(resources, account())))
    after = state()
    for kind, there in whole.items():
        assert after[kind] == there, kind


def test_other_code_under_our_name_is_replaced(handlers: Path) -> None:
    client("s3").put_object(Bucket=BUCKET, Key=code(), Body=b"something else")
    assert reasons(apply_resources(upsert_resources(handlers, only="Archive"), account())) == [
        "the object has other content"
    ]


def test_a_function_with_other_code_gets_ours_back_and_serves_it(handlers: Path) -> None:
    ours = client("lambda").get_function(FunctionName=PREDICT)["Configuration"]["CodeSha256"]
    other_code()
    client("lambda").publish_version(FunctionName=PREDICT)
    client("lambda").update_alias(FunctionName=PREDICT, Name="live", FunctionVersion="2")
    assert "the code differs" in reasons(apply_resources(upsert_resources(handlers, only="LambdaFunction"), account()))
    served = client("lambda").get_function(FunctionName=PREDICT, Qualifier="live")
    assert served["Configuration"]["CodeSha256"] == ours


def test_what_is_not_ours_to_mend_is_not_looked_at(handlers: Path) -> None:
    """A second policy on a role, a further target of the rule: they were added on purpose."""
    client("iam").put_role_policy(RoleName="pedigree-job", PolicyName="more", PolicyDocument=json.dumps(EVERYTHING))
    client("events").put_targets(
        Rule=RULE, Targets=[{"Id": "tell", "Arn": f"arn:aws:sns:{REGION}:{ACCOUNT}:approvals"}]
    )
    watched = RecordedClients()
    apply_resources(upsert_resources(handlers), account(watched))
    assert watched.writing() == []


def answering(operation: str, changes: dict[str, Any]) -> RecordedClients:
    """The account, with other words in the answers to an operation."""

    def around(_service: str, called: str, _arguments: Any, call: Callable[[], Any]) -> Any:
        return {**call(), **changes} if called == operation else call()

    return RecordedClients(around=around)


def test_an_update_that_failed_is_made_again(handlers: Path) -> None:
    found = client("lambda").get_function(FunctionName=PREDICT)["Configuration"]
    failed = {**found, "LastUpdateStatus": "Failed", "LastUpdateStatusReason": "The role is gone"}
    watched = answering("get_function", {"Configuration": failed})
    predict = [
        resource
        for resource in upsert_resources(handlers, only="LambdaFunction")
        if getattr(resource, "name", "") == PREDICT
    ]
    [change] = plan(predict, account(watched)).changes[:1]
    assert change.why == ("its last update failed: The role is gone",)
    assert [getattr(call, "operation", "") for call in change.calls] == ["update_function_configuration"]
