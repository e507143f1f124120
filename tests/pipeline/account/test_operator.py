"""Whoever operates the pipeline may make every call that the commands make."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from pedigree.account import refusals
from pipeline.account import destroy, roles
from tests.pipeline.account.test_destroy import lived_in
from tests.support.accounts import Watched, account, brought_about, client, parts, settings
from tests.support.manual_changes import rounds

# What some calls need besides the action of their own name.
ALSO = {
    "create_bucket": {"s3:TagResource"},
    "create_event_source_mapping": {"lambda:TagResource"},
    "create_function": {"iam:PassRole", "lambda:TagResource"},
    "create_instance_profile": {"iam:TagInstanceProfile"},
    "create_log_group": {"logs:TagResource"},
    "create_model_package_group": {"sagemaker:AddTags"},
    "create_queue": {"sqs:TagQueue"},
    "create_role": {"iam:TagRole"},
    "put_rule": {"events:TagResource"},
    "update_function_configuration": {"iam:PassRole"},
}


def actions(calls: Iterable[tuple[str, str, Mapping[str, Any]]]) -> set[str]:
    """The actions that policies know, of calls that boto3 knows."""
    needed: set[str] = set()
    for service, operation, _ in calls:
        name = client(service).meta.method_to_api_mapping[operation]
        needed |= {refusals.action_of(ClientError({"Error": {}}, name), service, operation), *ALSO.get(operation, ())}
    return needed


def allowed() -> Iterator[str]:
    """The patterns of actions that the operator's policies allow."""
    for part in roles.documents(settings())["operator"].parts.values():
        for statement in part["Statement"]:
            given = statement["Action"] if statement["Effect"] == "Allow" else []
            yield from [given] if isinstance(given, str) else given


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
    lived_in(handlers)
    brought_about(destroy.parts(settings(), data=True), account(watched))
    return watched


def test_the_operator_may_make_every_call(calls: Watched) -> None:
    patterns = set(allowed())
    needed = actions(calls.calls)
    assert len(needed) > 100
    assert sorted(one for one in needed if not any(fnmatchcase(one, pattern) for pattern in patterns)) == []


def test_each_role_has_room_for_its_policy() -> None:
    """IAM counts the characters of a role's inline policies, white space left out."""
    for role, documents in roles.documents(settings()).items():
        if role != "operator":
            assert len(json.dumps(documents.policy, separators=(",", ":"))) <= 10_240, role
