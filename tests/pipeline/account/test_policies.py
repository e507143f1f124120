"""Every role may do what it must, and nothing of what it must not: the tables of tests/policies."""

from __future__ import annotations

from functools import cache

import pytest

from pedigree.iam import Policy, PolicyKind, Request, decide, identity, parse
from pipeline.account.roles import documents
from tests.policies import Table
from tests.policies.all_tables import MODULES
from tests.policies.arns import ACCOUNT, IN_ACCOUNT, role
from tests.support.definitions import configure

LEAST = {"may": 8, "may_not": 15}
KINDS = {
    "may": PolicyKind.IDENTITY,
    "may_not": PolicyKind.IDENTITY,
    "trusts": PolicyKind.TRUST,
    "trusts_not": PolicyKind.TRUST,
}


def rows(*columns: str) -> list[object]:
    """One row of a table each, named as a sentence."""
    return [
        pytest.param(table, column, request, id=f"{table.role} {column} {sentence(request)}")
        for module in MODULES
        for table in module.TABLES
        for column in columns
        for request in getattr(table, column)
    ]


def sentence(request: Request) -> str:
    return " ".join((request.action, request.resource, *(f"{key}={value}" for key, value in request.context.items())))


@cache
def policy(table: Table, column: str) -> Policy:
    """What decides over a column: the role's policy or its trust, under the table's settings."""
    found, kind = documents(configure(table.settings))[table.role], KINDS[column]
    return parse(found.trust if kind is PolicyKind.TRUST else found.policy, name=f"iam/{table.role}", kind=kind)


@pytest.mark.parametrize(("table", "column", "request_"), rows("may", "trusts"))
def test_a_role_may(table: Table, column: str, request_: Request) -> None:
    decision = decide([policy(table, column)], request_)
    assert decision.allowed, decision.why


@pytest.mark.parametrize(("table", "column", "request_"), rows("may_not", "trusts_not"))
def test_a_role_may_not(table: Table, column: str, request_: Request) -> None:
    decision = decide([policy(table, column)], request_)
    assert not decision.allowed, decision.why


def test_every_role_has_a_table_that_says_enough() -> None:
    tables = {module.TABLES[0].role: module.TABLES for module in MODULES}
    assert set(tables) == set(documents(configure(IN_ACCOUNT)))
    for name, those in tables.items():
        for column, least in LEAST.items():
            requests = {
                (request.action, request.resource, *request.context.items()) for request in getattr(those[0], column)
            }
            assert len(requests) >= least, f"{name} {column}"


def test_the_operators_role_is_for_whom_the_account_lets_take_it() -> None:
    ours = role("pedigree-operator")
    trust = parse(documents(configure(IN_ACCOUNT))["operator"].trust, kind=PolicyKind.TRUST)
    allowed = parse(
        {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": ours}}
    )
    request = Request("sts:AssumeRole", ours, principal=identity(f"arn:aws:iam::{ACCOUNT}:user/ann"))
    assert decide([trust, allowed], request).allowed
    assert not decide([trust], request).allowed
