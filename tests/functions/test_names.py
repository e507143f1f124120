"""Models and configurations are named by their content, within SageMaker's limits for names."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploying import deployment
from shared.event import Event
from tests.functions.events import deploy_event
from tests.support.fakes.account import PACKAGE


@given(st.from_regex(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}", fullmatch=True), st.integers(1, 10**9 - 1), st.text())
def test_a_name_fits_the_limit_and_is_recognized(endpoint: str, version: int, execution: str) -> None:
    name = deployment.name(endpoint[:63].rstrip("-"), f"{PACKAGE.rpartition('/')[0]}/{version}", [execution])
    assert re.fullmatch(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}", name)
    assert len(name) <= 63
    assert deployment.belongs_to(endpoint[:63].rstrip("-"), name)


@pytest.mark.parametrize(
    "change", [{"execution_id": "x"}, {"instance_count": 2}, {"tags": "{}"}, {"variant_name": "x"}]
)
def test_any_change_of_the_content_changes_the_name(change: dict[str, Any]) -> None:
    assert (
        deployment.parse_deployment(Event(deploy_event(**change))).name
        != deployment.parse_deployment(Event(deploy_event())).name
    )


def test_changes_outside_of_the_content_do_not_change_the_name() -> None:
    moved = deploy_event(traffic_policy="canary", alarm_5xx_percent=1)
    assert deployment.parse_deployment(Event(moved)).name == deployment.parse_deployment(Event(deploy_event())).name


def test_a_shortened_name_is_not_another_endpoints() -> None:
    long = [f"{'a' * 50}-{number}" for number in range(2)]
    first, second = (deployment.name(endpoint, PACKAGE, []) for endpoint in long)
    assert first != second
    assert deployment.belongs_to(long[0], first)
    assert not deployment.belongs_to(long[1], first)
