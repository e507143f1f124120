"""When any call fails in any way, the same event again leads to the state of an undisturbed run.

Each scenario is run once undisturbed, to know its calls and its end; then once for each of its calls and each fault.
"""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest

from shared.errors import BusyError, FunctionError
from tests.functions.events import approval_event, deploy_event, record, scale_event
from tests.functions.running import deploy, process, scale
from tests.support.fakes.account import PACKAGE, FakeAccount
from tests.support.fakes.clients import FAULTS, ProcessKilled

Act = Callable[[FakeAccount], object]
ENDPOINT = "dog-breeds"
# Calls that are repeated, as their response may have been lost.
AGAIN = {
    "approval": ["sqs:SendMessage"],
    "answer": ["sagemaker:SendPipelineExecutionStepSuccess", "lambda:Invoke"],
}


@dataclass(frozen=True)
class Scenario:
    """What there is to begin with, and what is done, again and again if need be."""

    before: Act
    act: Act


def nothing(account: FakeAccount) -> None:
    """A fresh account."""


def served(account: FakeAccount) -> None:
    """Many deployments ago: an endpoint that scales, and more configurations than the limit allows."""
    for number in range(6):
        deploy(account, deploy_event(execution_id=f"execution-{number}"))
        account.settle()
    scale(account, scale_event())
    account.sagemaker.endpoints[ENDPOINT].counts["AllTraffic"] = 2


def failed(account: FakeAccount) -> None:
    """An endpoint that never came up."""
    account.sagemaker.fate = "fails"
    deploy(account, deploy_event())
    account.settle()
    account.sagemaker.fate = ""


def approved(account: FakeAccount) -> None:
    account.register(PACKAGE, later=True)


def waiting(account: FakeAccount) -> None:
    """A step that waits, for an endpoint that serves."""
    deploy(account, deploy_event())
    account.settle()
    account.sagemaker.tokens["abcdefghij"] = ""


def answered(account: FakeAccount) -> object:
    """The queue hands a message over until it has done its work."""
    name = account.sagemaker.endpoints[ENDPOINT].configuration
    names = {"outcome": "deploying", "endpoint_name": ENDPOINT, "endpoint_config_name": name}
    message = {"token": "", "arguments": {**names, "next_function": "scaler", "next_event": {"variant_name": "x"}}}
    now = account.clock.now()
    records = (record(sent=now, name="step", endpoint_config_name=name), record(message, now, "approval"))
    again = process(account, *records)
    if again:
        raise BusyError("some messages are to come back")
    return again


SCENARIOS: Mapping[str, Scenario] = {
    "create": Scenario(nothing, lambda account: deploy(account, deploy_event())),
    "move on": Scenario(served, lambda account: deploy(account, deploy_event())),
    "another machine": Scenario(served, lambda account: deploy(account, deploy_event(instance_type="ml.c5.xlarge"))),
    "no alarms": Scenario(served, lambda account: deploy(account, deploy_event(alarm_5xx_percent=0))),
    "make anew": Scenario(failed, lambda account: deploy(account, deploy_event())),
    "approval": Scenario(approved, lambda account: deploy(account, approval_event())),
    "scale": Scenario(waiting, lambda account: scale(account, scale_event())),
    "scale otherwise": Scenario(
        served, lambda account: scale(account, scale_event(max_capacity=5, target_invocations=9))
    ),
    "fix": Scenario(served, lambda account: scale(account, scale_event(max_capacity=1))),
    "answer": Scenario(waiting, answered),
}


@cache
def prepared(name: str) -> FakeAccount:
    account = FakeAccount()
    SCENARIOS[name].before(account)
    account.wire.sent.clear()
    return account


@cache
def undisturbed(name: str) -> FakeAccount:
    account = copy.deepcopy(prepared(name))
    SCENARIOS[name].act(account)
    return account


def calls(name: str) -> int:
    """How many calls a scenario takes."""
    return len(undisturbed(name).wire.sent)


@cache
def end(name: str) -> dict[str, Any]:
    return everything(undisturbed(name))


def everything(account: FakeAccount) -> dict[str, Any]:
    answers = account.sagemaker.answers
    invoked = {(item["FunctionName"], item["Payload"]) for item in account.functions.invocations}
    return {**account.state(), "answers": answers, "invoked": invoked}


def disturbed() -> list[Any]:
    return [
        pytest.param(name, call, fault, id=f"{name}-{call}-{fault}")
        for name in SCENARIOS
        for call in range(calls(name))
        for fault in FAULTS
    ]


@pytest.mark.parametrize(("name", "call", "fault"), disturbed())
def test_the_same_event_again_leads_to_the_same_end(name: str, call: int, fault: str) -> None:
    account = copy.deepcopy(prepared(name))
    account.wire.break_at(call, FAULTS[fault])
    with contextlib.suppress(FunctionError, ProcessKilled):
        SCENARIOS[name].act(account)
    account.wire.mend()
    SCENARIOS[name].act(account)
    assert everything(account) == end(name)


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_second_run_changes_nothing_and_writes_nothing(name: str) -> None:
    account = copy.deepcopy(prepared(name))
    SCENARIOS[name].act(account)
    account.settle()
    before = len(account.wire.sent)
    SCENARIOS[name].act(account)
    assert everything(account) == end(name)
    written = [item for item in account.wire.calls[before:] if ":Describe" not in item and ":List" not in item]
    assert written == AGAIN.get(name, [])
