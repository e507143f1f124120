"""deploy_endpoint after an approval: the rule sends the event, and no step waits, so a message is left in the queue."""

from __future__ import annotations

import json

import pytest

from entrypoints import contract
from shared.errors import BusyError
from tests.functions.events import QUEUE, SCALER, approval_event, deploy_event, record, scale_event
from tests.functions.running import DEPLOYER, Lines, deploy, process
from tests.support.fakes.account import PACKAGE, FakeAccount
from tests.support.fakes.clients import FAULTS

ENDPOINT, OTHER = "dog-breeds", PACKAGE.replace("/12", "/11")


@pytest.fixture
def account() -> FakeAccount:
    account = FakeAccount()
    account.register(PACKAGE, later=True)
    account.register(OTHER)
    return account


def test_a_message_in_the_queue_asks_for_scaling(account: FakeAccount) -> None:
    result = deploy(account, approval_event())
    ((queue, body),) = account.state()["messages"]
    message = json.loads(body)
    scaling = message["arguments"].pop(contract.NEXT_EVENT)
    assert queue == QUEUE
    assert message == {"token": "", "arguments": {**result, contract.NEXT_FUNCTION: SCALER}}
    assert {contract.OUTCOME: "in-service", **scaling} == scale_event()


def test_a_version_that_was_approved_on_creation_is_left_to_its_execution(account: FakeAccount) -> None:
    account.register(PACKAGE)
    assert deploy(account, approval_event())[contract.OUTCOME] == "unchanged"
    assert not account.sagemaker.endpoints
    assert not account.queue.messages


@pytest.mark.parametrize("settled", [True, False])
def test_a_version_that_is_served_already_is_left_alone(account: FakeAccount, settled: bool) -> None:
    serving_already = deploy(account, deploy_event())
    if settled:
        account.settle()
    assert deploy(account, approval_event()) == {**serving_already, contract.OUTCOME: "unchanged"}
    assert not account.queue.messages


def test_another_version_updates_the_endpoint(account: FakeAccount) -> None:
    newer = PACKAGE.replace("/12", "/13")
    account.register(newer, later=True)
    deploy(account, deploy_event())
    account.settle()
    assert deploy(account, approval_event(model_package_arn=newer))[contract.OUTCOME] == "deploying"
    assert len(account.queue.messages) == 1


def test_a_version_with_which_the_endpoint_failed_is_tried_again(account: FakeAccount) -> None:
    account.sagemaker.fate = "fails"
    deploy(account, deploy_event())
    account.settle()
    account.sagemaker.fate = ""
    assert deploy(account, approval_event())[contract.OUTCOME] == "deploying"
    assert account.state()["endpoints"][ENDPOINT][1] == "InService"


def test_a_version_that_was_rejected_since_is_left_alone(account: FakeAccount) -> None:
    account.register(PACKAGE, "Rejected", later=True)
    assert deploy(account, approval_event())[contract.OUTCOME] == "not-approved"
    assert not account.queue.messages


def serve_another_for_long(account: FakeAccount) -> None:
    deploy(account, deploy_event(model_package_arn=OTHER))
    account.sagemaker.endpoints[ENDPOINT].until += 1000


def test_a_deployment_to_a_busy_endpoint_is_postponed_and_not_lost(account: FakeAccount) -> None:
    serve_another_for_long(account)
    lines: Lines = []
    assert deploy(account, approval_event(), lines)[contract.OUTCOME] == contract.OUTCOME_BUSY
    left = record(account.queue.messages[0]["MessageBody"], account.clock.now())
    assert process(account, left) == ["message-1"]
    account.settle()
    assert process(account, left) == []
    (call,) = account.functions.invocations
    assert call["FunctionName"] == DEPLOYER
    assert deploy(account, json.loads(call["Payload"]))[contract.OUTCOME] == "deploying"
    assert "WARNING" in {line["level"] for line in lines}


def test_a_postponed_deployment_is_retried_after_the_endpoint_was_deleted(account: FakeAccount) -> None:
    serve_another_for_long(account)
    deploy(account, approval_event())
    account.sagemaker.endpoints.clear()
    assert process(account, record(account.queue.messages[0]["MessageBody"], account.clock.now())) == []
    assert account.functions.invocations


def test_a_deployment_that_cannot_be_postponed_raises_an_error(account: FakeAccount) -> None:
    account.wire.break_at(0, FAULTS["down from then on"])
    with pytest.raises(BusyError, match="ServiceUnavailable"):
        deploy(account, approval_event())
