"""Provisioned concurrency: requested, waited for while Lambda starts the environments, and reported where it fails."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from pedigree.account.account import Account
from pedigree.account.apply import apply_plan
from pedigree.account.errors import UnfinishedError
from pedigree.account.plan import plan
from pedigree.account.provisioned_concurrency import ProvisionedConcurrency
from tests.support.accounts import InstantClock

FUNCTION = "sagemaker-dog-breeds-predict"


class Lambda:
    """What Lambda says of a function's warm environments: a state at each look, the last one for ever."""

    def __init__(self, *states: str, count: int = 0, reason: str = "") -> None:
        self.states, self.count, self.reason = list(states), count, reason
        self.writes: list[tuple[str, dict[str, Any]]] = []

    def get_provisioned_concurrency_config(self, **request: str) -> dict[str, Any]:
        assert request == {"FunctionName": FUNCTION, "Qualifier": "live"}
        if not self.count:
            message = {"Code": "ProvisionedConcurrencyConfigNotFoundException", "Message": "No config found"}
            raise ClientError({"Error": message}, "GetProvisionedConcurrencyConfig")
        status = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        description = {"RequestedProvisionedConcurrentExecutions": self.count, "Status": status}
        return {**description, "StatusReason": self.reason} if status == "FAILED" else description

    def put_provisioned_concurrency_config(self, **request: Any) -> None:
        self.writes.append(("put", request))
        self.count = request["ProvisionedConcurrentExecutions"]

    def delete_provisioned_concurrency_config(self, **request: Any) -> None:
        self.writes.append(("delete", request))
        self.count = 0


def fulfilled(service: Lambda, count: int) -> tuple[list[str], list[str]]:
    """What the plan says, and what was waited for."""
    here = Account("123456789012", "us-east-1", lambda name: service, "me", InstantClock())
    part, waits = ProvisionedConcurrency(FUNCTION, "live", count), list[str]()
    planned = plan([part], here)
    apply_plan([part], here, planned, lambda change: None, lambda what, seconds: waits.append(f"{what} {seconds:.0f}"))
    return [why for change in planned.changes for why in change.why], waits


def test_they_are_requested_and_waited_for() -> None:
    service = Lambda("IN_PROGRESS", "IN_PROGRESS", "READY")
    assert fulfilled(service, 2) == (["0 kept warm, not 2"], [f"2 warm environments of {FUNCTION} {s}" for s in (0, 5)])
    qualified = {"FunctionName": FUNCTION, "Qualifier": "live"}
    assert service.writes == [("put", {**qualified, "ProvisionedConcurrentExecutions": 2})]


def test_those_already_requested_are_only_waited_for() -> None:
    """An upsert that was interrupted, or an alias that has moved."""
    service = Lambda("IN_PROGRESS", "IN_PROGRESS", "READY", count=2)
    assert fulfilled(service, 2) == (["0 of 2 are warm yet"], [f"2 warm environments of {FUNCTION} 0"])
    assert service.writes == []


def test_there_is_nothing_to_do_where_they_are_ready() -> None:
    service = Lambda("READY", count=2)
    assert fulfilled(service, 2) == ([], [])
    assert fulfilled(Lambda(), 0) == ([], [])
    assert service.writes == []


def test_none_are_kept_where_settings_say_so() -> None:
    service = Lambda("READY", count=2)
    assert fulfilled(service, 0) == (["2 kept warm, not 0"], [])
    assert [name for name, _ in service.writes] == ["delete"]


def test_those_that_failed_are_requested_again() -> None:
    service = Lambda("FAILED", "READY", count=2, reason="no room")
    assert fulfilled(service, 2) == (["it failed: no room"], [])
    assert [name for name, _ in service.writes] == ["put"]


def test_a_failure_is_reported_at_once_with_a_remedy() -> None:
    service = Lambda("IN_PROGRESS", "FAILED", reason="Function initialization\nfailed.")
    words = (
        rf"waited for 2 warm environments of {FUNCTION}, and it failed: Function initialization failed; "
        r"lower functions\.predict\.provisioned_concurrency in settings"
    )
    with pytest.raises(UnfinishedError, match=words) as error:
        fulfilled(service, 2)
    assert "\n" not in str(error.value)


def test_waiting_for_them_has_an_end() -> None:
    with pytest.raises(UnfinishedError, match=r"waited 900 seconds for 2 warm .*; run it again to go on from here"):
        fulfilled(Lambda("IN_PROGRESS"), 2)
