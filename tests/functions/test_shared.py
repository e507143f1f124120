"""The functions' shared code: events read by name, errors with remedies, limited waiting, JSON log lines."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError
from hypothesis import given
from hypothesis import strategies as st

from shared import aws
from shared.aws import Aws, TimeBudget, retry_until_done, translate_error
from shared.errors import BusyError, EventError, RefusedError, RetryableError
from shared.event import Event
from shared.log import Log
from tests.functions.running import budget
from tests.support.fakes.account import FakeAccount
from tests.support.fakes.clients import refusal

KINDS = {
    "text": str,
    "optional_text": str,
    "number": float,
    "integer": int,
    "boolean": bool,
    "string_list": list,
    "json_object": dict,
}
ANYTHING = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists, max_leaves=5)


@given(ANYTHING, st.sampled_from(sorted(KINDS)))
def test_a_value_has_the_requested_type_or_is_reported_by_name(value: Any, kind: str) -> None:
    expected, read = KINDS[kind], getattr(Event({"its-name": value}), kind)
    try:
        found = read("its-name")
    except EventError:
        with pytest.raises(EventError, match=r"its-name.{1,300}$"):
            read("its-name")
    else:
        assert isinstance(found, expected)


@pytest.mark.parametrize(("text", "number"), [("3", 3), (3.0, 3), ("3.0", 3), (0, 0)])
def test_whole_numbers_may_be_written_in_several_ways(text: Any, number: int) -> None:
    assert Event({"n": text}).integer("n") == number


@pytest.mark.parametrize("value", [True, "nan", "inf", "-1", 1.5, "", None])
def test_other_values_are_not_integers(value: Any) -> None:
    with pytest.raises(EventError, match=r"whole number|a number"):
        Event({"n": value}).integer("n")


@pytest.mark.parametrize(
    ("code", "message", "status"),
    [
        ("ThrottlingException", "Rate exceeded", 400),
        ("TooManyRequestsException", "", 429),
        ("RequestThrottled", "", 403),
        ("InternalServiceException", "", 500),
        ("ServiceUnavailable", "", 503),
        ("ConcurrentUpdateException", "", 400),
        ("ValidationException", 'Cannot update in-progress endpoint "x".', 400),
        ("ValidationException", 'Cannot create already existing model "x".', 400),
        ("ValidationException", 'Could not find endpoint configuration "x".', 400),
    ],
)
def test_temporary_errors_are_not_refusals(code: str, message: str, status: int) -> None:
    assert isinstance(translate_error(refusal("Operation", code, message, status)), RetryableError)


@pytest.mark.parametrize(
    ("code", "message", "remedy"),
    [
        ("AccessDeniedException", "no", "policy of the function's role"),
        ("ResourceLimitExceeded", "no", "Service Quotas"),
        ("LimitExceededException", "no", "Service Quotas"),
        ("ValidationException", "Two\nlines.", ""),
    ],
)
def test_a_refusal_is_one_line_with_its_remedy(code: str, message: str, remedy: str) -> None:
    text = str(translate_error(refusal("Operation", code, message)))
    assert text.startswith(f"Operation was refused with {code}: ")
    assert remedy in text
    assert "\n" not in text


def test_a_cut_connection_is_retryable() -> None:
    class Cut:
        def describe_endpoint(self) -> None:
            raise EndpointConnectionError(endpoint_url="https://fake")

    with pytest.raises(RetryableError, match="got no response"):
        Aws(lambda service: Cut()).find("sagemaker", "describe_endpoint")


def test_waiting_ends_before_the_invocation_does() -> None:
    account = FakeAccount()
    before = account.clock.now()

    def never() -> None:
        raise RetryableError("it is not there")

    with pytest.raises(BusyError, match="it is not there; come again"):
        retry_until_done(never, budget(account, 60), "come again")
    assert account.clock.now() - before <= 60


def test_a_possibly_permanent_error_is_retried_a_few_times() -> None:
    times = []

    def refused() -> None:
        times.append(1)
        raise RetryableError("no", RefusedError("no means no"), tries=3)

    with pytest.raises(RefusedError, match="no means no"):
        retry_until_done(refused, budget(FakeAccount()), "")
    assert len(times) == 3


def test_a_function_reserves_time_to_report_that_time_is_up() -> None:
    class Context:
        def get_remaining_time_in_millis(self) -> int:
            return 60_000

    assert TimeBudget.of(Context()).remaining() == 60 - aws.RESERVE_SECONDS


def test_a_function_with_little_time_still_works() -> None:
    class Context:
        def get_remaining_time_in_millis(self) -> int:
            return 3_000

    assert TimeBudget.of(Context(), reserve=10).remaining() == 2


def test_a_client_is_made_once_and_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    client = aws.client("sqs")
    assert client is aws.client("sqs")
    assert client.meta.config.connect_timeout + client.meta.config.read_timeout <= 30
    assert client.meta.config.retries["mode"] == "standard"


@given(st.text(), st.dictionaries(st.sampled_from(["why", "endpoint"]), st.text()))
def test_every_log_message_is_one_line_of_json(message: str, fields: dict[str, Any]) -> None:
    lines: list[str] = []
    Log({"function": "f", "request": "r"}, lines.append).info(message, **fields)
    (line,) = lines
    assert line.count("\n") == 1
    assert json.loads(line) == {"level": "INFO", "message": message, "function": "f", "request": "r", **fields}


def test_a_log_says_which_request_it_is_about(capsys: pytest.CaptureFixture[str]) -> None:
    class Context:
        aws_request_id = "request-1"
        invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:secret"

    Log.of("deploy_endpoint", Context()).warning("careful")
    line = capsys.readouterr().out
    assert json.loads(line)["request"] == "request-1"
    assert "123456789012" not in line
