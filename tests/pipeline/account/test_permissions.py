"""Checks of the proof of permissions that need no run."""

from __future__ import annotations

import re

from tests.proof import on_aws
from tests.proof.account import SETTINGS, everything, resource_name
from tests.proof.everything import PAGE
from tests.proof.manual_changes import MANUAL_CHANGES
from tests.proof.permissions import Permission, permissions, without
from tests.support.definitions import configure

_ROW = re.compile(r"^\| (\S+) \| (\w+) \| `([\w:-]+)` \| .+ \|$", re.MULTILINE)


def test_every_reason_is_for_something() -> None:
    assert [reason.why for reason in on_aws.REASONS if not any(map(reason.covers, permissions()))] == []


def test_an_action_has_one_reason_at_most() -> None:
    for right in permissions():
        assert sum(reason.covers(right) for reason in on_aws.REASONS) <= 1, right


def test_the_page_has_every_action_once() -> None:
    allowed = PAGE.read_text(encoding="utf-8").partition("## What is forbidden")[0]
    rows = sorted(_ROW.findall(allowed))
    assert rows == sorted((permission.file, permission.statement, permission.action) for permission in permissions())


def test_an_action_is_taken_away_and_an_empty_statement_with_it() -> None:
    reads = {"Sid": "Read", "Action": "s3:GetObject"}
    writes = {"Sid": "Write", "Action": ["s3:PutObject", "s3:GetObject"]}
    document = {"Version": "2012-10-17", "Statement": [reads, writes]}
    assert without(document, Permission("job", "policy", "Read", "s3:GetObject"))["Statement"] == [writes]
    left = without(document, Permission("job", "policy", "Write", "s3:PutObject"))["Statement"]
    assert left == [reads, {**writes, "Action": ["s3:GetObject"]}]


def test_each_manual_change_is_about_a_part_of_the_account() -> None:
    resources = {resource_name(resource) for resource in everything(configure(SETTINGS))}
    assert MANUAL_CHANGES.keys() - resources == set()
