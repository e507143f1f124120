"""await_endpoint: a message comes back until its endpoint is stable; then its step is answered."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import await_endpoint
from await_endpoint import CallbackResult, WaitingStep, judge_endpoint
from entrypoints import contract
from shared.endpoint import EndpointState
from tests.functions.events import SCALER, approval_event, deploy_event, record, scale_event
from tests.functions.running import GIVE_UP_SECONDS, Lines, deploy, process
from tests.support.fakes.account import PACKAGE, FakeAccount

ENDPOINT, TOKEN = "dog-breeds", "abcdefghij"
STATUSES = st.sampled_from(
    [
        *("OutOfService", "Creating", "Updating", "SystemUpdating", "RollingBack", "InService", "Deleting", "Failed"),
        *("UpdateRollbackFailed", "a status of tomorrow"),
    ]
)


@pytest.fixture
def account() -> FakeAccount:
    account = FakeAccount()
    account.sagemaker.tokens[TOKEN] = ""
    return account


def message(account: FakeAccount, **arguments: Any) -> dict[str, Any]:
    """Returns the message of a step that has just deployed and waits."""
    return record(sent=account.clock.now(), **{**deploy(account, deploy_event(execution_id="asked")), **arguments})


def answer(account: FakeAccount) -> Any:
    return account.sagemaker.answers.get(TOKEN)


def test_a_message_comes_back_while_the_endpoint_is_created(account: FakeAccount) -> None:
    left = message(account)
    assert process(account, left) == ["message-1"]
    assert answer(account) is None


def test_the_step_is_answered_once_the_endpoint_serves(account: FakeAccount) -> None:
    left = message(account)
    account.settle()
    assert process(account, left) == []
    assert answer(account) == {contract.OUTCOME: contract.OUTCOME_IN_SERVICE, contract.ENDPOINT_NAME: ENDPOINT}


def test_a_version_that_is_not_approved_is_answered_at_once(account: FakeAccount) -> None:
    left = record(sent=account.clock.now(), outcome=contract.OUTCOME_NOT_APPROVED)
    assert process(account, left) == []
    assert answer(account) == {contract.OUTCOME: contract.OUTCOME_NOT_APPROVED, contract.ENDPOINT_NAME: ENDPOINT}
    assert account.wire.calls == ["sagemaker:SendPipelineExecutionStepSuccess"]


def test_a_failed_creation_fails_the_step_with_its_reason(account: FakeAccount) -> None:
    account.sagemaker.fate = "fails"
    left = message(account)
    account.settle()
    assert process(account, left) == []
    assert "Failed: The primary container did not pass the ping health check." in answer(account)


def test_an_update_that_was_rolled_back_without_a_reason_fails_the_step(account: FakeAccount) -> None:
    first = deploy(account, deploy_event())[contract.ENDPOINT_CONFIG_NAME]
    account.settle()
    account.sagemaker.fate = "rolls back"
    left = message(account)
    assert process(account, left) == ["message-1"]
    account.settle()
    assert account.sagemaker.endpoints[ENDPOINT].status == "InService"
    assert process(account, left) == []
    assert answer(account).startswith(f"was rolled back or replaced: endpoint dog-breeds serves {first}")


def test_an_endpoint_that_was_deleted_fails_the_step(account: FakeAccount) -> None:
    left = message(account)
    account.settle()
    account.sagemaker.endpoints.clear()
    assert process(account, left) == []
    assert "is gone" in answer(account)


def test_a_stopped_execution_is_answered_at_once_and_its_other_message_goes_too(account: FakeAccount) -> None:
    left = message(account)
    stopping = {**json.loads(left["body"]), "status": "Stopping"}
    assert process(account, record(stopping, account.clock.now(), "message-2")) == []
    assert "stopped" in answer(account)
    account.settle()
    assert process(account, left) == []
    assert "stopped" in answer(account)


def test_it_gives_up_after_the_time_in_settings(account: FakeAccount) -> None:
    left = message(account)
    account.sagemaker.endpoints[ENDPOINT].until = account.clock.now() + 2 * GIVE_UP_SECONDS
    account.clock.sleep(GIVE_UP_SECONDS - 60)
    assert process(account, left) == ["message-1"]
    account.clock.sleep(60)
    assert process(account, left) == []
    assert "gave up: endpoint dog-breeds is Creating after 180 minutes" in answer(account)


def test_it_gives_up_even_if_the_endpoint_cannot_be_described(account: FakeAccount) -> None:
    left = message(account)
    for seconds, again in ((0, ["message-1"]), (GIVE_UP_SECONDS, [])):
        account.clock.sleep(seconds)
        account.wire.break_on("sagemaker:DescribeEndpoint", "AccessDeniedException", "not authorized")
        assert process(account, left) == again
    assert answer(account).startswith("gave up: DescribeEndpoint was refused with AccessDeniedException")


def test_a_reason_is_cut_to_the_limit_of_the_api(account: FakeAccount) -> None:
    left = message(account)
    account.settle()
    found = account.sagemaker.endpoints[ENDPOINT]
    found.status, found.reason = "Failed", "x" * 1000
    assert process(account, left) == []
    assert len(answer(account)) == 256


@pytest.mark.parametrize(
    ("code", "message_"),
    [("ResourceNotFound", "no"), ("ValidationException", "no"), ("ValidationException", "Could not find the token")],
)
def test_a_message_with_an_expired_token_is_done(account: FakeAccount, code: str, message_: str) -> None:
    left = message(account)
    account.settle()
    account.wire.break_on("sagemaker:SendPipelineExecutionStepSuccess", code, message_)
    lines: Lines = []
    assert process(account, left, lines=lines) == []
    assert lines[-1]["message"] == "the step no longer waits"


@pytest.mark.parametrize("code", ["ThrottlingException", "AccessDeniedException", "ConflictException"])
def test_a_refused_answer_is_sent_again(account: FakeAccount, code: str) -> None:
    left = message(account)
    account.settle()
    account.wire.break_on("sagemaker:SendPipelineExecutionStepSuccess", code, "no")
    assert process(account, left) == ["message-1"]
    assert process(account, left) == []
    assert answer(account)


BROKEN: dict[str, Any] = {
    "no JSON": "{",
    "no table": "[]",
    "no arguments": {"token": TOKEN},
    "no token": {"arguments": {"outcome": "deploying", "endpoint_name": "a", "endpoint_config_name": "b"}},
    "a strange token": {"token": "no token!", "arguments": {}},
    "no endpoint": {"token": TOKEN, "arguments": {"outcome": "deploying", "endpoint_config_name": "b"}},
    "a number for an endpoint": {"token": TOKEN, "arguments": {"outcome": "deploying", "endpoint_name": 1}},
    "nothing that comes next": {
        "token": "",
        "arguments": {"outcome": "deploying", "endpoint_name": "a", "endpoint_config_name": "b"},
    },
    "no event for it": {
        "token": "",
        "arguments": {
            "outcome": "deploying",
            "endpoint_name": "a",
            "endpoint_config_name": "b",
            "next_function": "f",
        },
    },
}


@pytest.mark.parametrize("kind", BROKEN)
def test_an_invalid_message_comes_back_and_does_not_affect_others(account: FakeAccount, kind: str) -> None:
    left = message(account)
    account.settle()
    lines: Lines = []
    assert process(account, record(BROKEN[kind], 1, "broken"), left, lines=lines) == ["broken"]
    assert answer(account)
    assert (lines[0]["level"], lines[0]["message_id"]) == ("ERROR", "broken")


@given(st.text() | st.recursive(st.none() | st.text() | st.integers(), st.lists).map(json.dumps), st.text())
def test_any_message_is_handled_without_a_crash(body: str, sent: str) -> None:
    account = FakeAccount()
    strange = {"messageId": "strange", "body": body, "attributes": {"SentTimestamp": sent}}
    assert process(account, strange) == ["strange"]
    assert not account.wire.calls


def test_a_message_without_its_time_is_invalid(account: FakeAccount) -> None:
    left = {**message(account), "attributes": {}}
    assert process(account, left) == ["message-1"]


def test_a_service_that_fails_for_one_message_serves_the_next(account: FakeAccount) -> None:
    left = message(account)
    account.settle()
    account.wire.break_on("sagemaker:DescribeEndpoint", "InternalFailure", "no")
    assert process(account, left, {**left, "messageId": "message-2"}) == ["message-1"]


def test_messages_come_back_if_time_is_up(account: FakeAccount) -> None:
    left = message(account)
    before = len(account.wire.sent)
    assert process(account, left, seconds=0) == ["message-1"]
    assert len(account.wire.sent) == before


class TestWithoutAToken:
    """A message from deploy_endpoint after an approval: no step waits."""

    @pytest.fixture
    def left(self, account: FakeAccount) -> dict[str, Any]:
        account.register(PACKAGE, later=True)
        deploy(account, approval_event())
        return record(account.queue.messages[0]["MessageBody"], account.clock.now())

    def test_scaling_is_configured_once_the_endpoint_serves(self, account: FakeAccount, left: dict[str, Any]) -> None:
        assert process(account, left) == ["message-1"]
        account.settle()
        assert process(account, left) == []
        (call,) = account.functions.invocations
        assert (call["FunctionName"], call["InvocationType"]) == (SCALER, "Event")
        assert json.loads(call["Payload"]) == scale_event()
        assert not account.sagemaker.answers

    def test_a_failure_is_logged(self, account: FakeAccount, left: dict[str, Any]) -> None:
        account.settle()
        account.sagemaker.endpoints[ENDPOINT].status = "Failed"
        lines: Lines = []
        assert process(account, left, lines=lines) == []
        assert lines[-1]["level"] == "ERROR"
        assert not account.functions.invocations


WAITING = WaitingStep(TOKEN, "deploying", ENDPOINT, "asked", is_stopping=False, since=0)


@given(STATUSES, st.sampled_from(["asked", "other"]), st.floats(0, 10**6))
def test_it_waits_only_for_endpoints_in_transition_and_not_for_ever(
    status: str, configuration: str, seconds: float
) -> None:
    endpoint = EndpointState(ENDPOINT, status, configuration, configuration)
    verdict = judge_endpoint(WAITING, endpoint, seconds, GIVE_UP_SECONDS)
    if verdict.kind == "waiting":
        assert seconds < GIVE_UP_SECONDS
        assert endpoint.is_in_transition or seconds < 60
    assert (verdict.kind == "done") == (status == "InService" and configuration == "asked")


def test_an_update_that_is_not_visible_yet_is_not_a_rollback() -> None:
    endpoint = EndpointState(ENDPOINT, "InService", "before", "before")
    assert judge_endpoint(WAITING, endpoint, 5, GIVE_UP_SECONDS) == CallbackResult("waiting", "has not started")
    assert judge_endpoint(WAITING, endpoint, 61, GIVE_UP_SECONDS).kind == "failed"


def test_the_handler_returns_lambdas_batch_response(monkeypatch: pytest.MonkeyPatch) -> None:
    class Context:
        aws_request_id = "request-1"

        def get_remaining_time_in_millis(self) -> int:
            return 30_000

    monkeypatch.setenv(contract.ENV_GIVE_UP_MINUTES, "180")
    broken = {"messageId": "broken", "body": "", "attributes": {}}
    assert await_endpoint.handler({"Records": [broken]}, Context()) == {
        "batchItemFailures": [{"itemIdentifier": "broken"}]
    }
