"""Answers a waiting step once its endpoint serves the requested configuration, or no longer can.

The step leaves a message in a queue and waits. Lambda receives the messages in batches; a message that is reported as
failed comes back after its visibility time-out, so the queue is the timer and nothing runs in between. A message
without a token comes from deploy_endpoint after an approval, when no step waits: it names a function to call instead.
Invalid messages are left to the queue's redrive policy, which moves them to the dead-letter queue.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from shared import endpoint as endpoints
from shared.aws import Aws, TimeBudget
from shared.endpoint import IN_SERVICE, EndpointState
from shared.errors import EventError, FunctionError, RefusedError, RetryableError
from shared.event import Event
from shared.log import Log

OUTCOME_IN_SERVICE = "in-service"
OUTCOME_NOT_APPROVED = "not-approved"
OUTCOME_BUSY = "busy"
NEXT_FUNCTION = "next_function"
NEXT_EVENT = "next_event"
ENV_GIVE_UP_MINUTES = "GIVE_UP_MINUTES"
_MAX_REASON = 256
_REMEDY = "check what sends to the queue"
_TOKEN = re.compile(r"[a-zA-Z0-9]{10}")
# An update cannot start and roll back within this time, so until then it has not started.
_START_SECONDS = 60.0
_GONE_CODES = ("ResourceNotFound", "ValidationException")


@dataclass(frozen=True)
class WaitingStep:
    """A message in the queue: a step that waits, by its token, or without a token a function to call later."""

    token: str
    outcome: str
    endpoint: str
    configuration: str
    is_stopping: bool
    since: float
    next_function: str = ""
    next_event: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class CallbackResult:
    """The answer to a step: its outcome, the reason of its failure, or nothing yet."""

    kind: Literal["done", "failed", "waiting"]
    text: str


@dataclass(frozen=True)
class WaitingSteps:
    """The queue of waiting steps: answers each message whose endpoint is ready, failed, or took too long."""

    aws: Aws
    log: Log
    give_up_seconds: float
    now: Callable[[], float] = time.time

    def process(self, event: Mapping[str, Any], budget: TimeBudget) -> dict[str, list[dict[str, str]]]:
        """Processes a batch, and returns the messages that must come back."""
        retry_ids = [
            record["messageId"] for record in event["Records"] if budget.remaining() <= 0 or not self._is_done(record)
        ]
        return {"batchItemFailures": [{"itemIdentifier": message} for message in retry_ids]}

    def _is_done(self, record: Mapping[str, Any]) -> bool:
        """Processes one message; an error in it does not affect the others."""
        message = str(record["messageId"])
        try:
            step = parse_message(record)
            result = self._result(step)
            self.log.info(result.kind, why=result.text, endpoint=step.endpoint, message_id=message)
            if result.kind != "waiting":
                self._report(step, result)
            return result.kind != "waiting"
        except EventError as error:
            self.log.error("is not valid, and is left to the dead-letter queue", why=str(error), message_id=message)
        except (FunctionError, RetryableError) as error:
            self.log.warning("comes back", why=str(error), message_id=message)
        return False

    def _result(self, step: WaitingStep) -> CallbackResult:
        """Describes the endpoint only for steps that wait for it."""
        if step.outcome == OUTCOME_NOT_APPROVED:
            return CallbackResult("done", OUTCOME_NOT_APPROVED)
        if step.is_stopping:
            return CallbackResult(
                "failed", f"the execution was stopped; endpoint {step.endpoint} continues its operation"
            )
        seconds = self.now() - step.since
        try:
            endpoint = endpoints.find(self.aws, step.endpoint)
        except (FunctionError, RetryableError) as error:
            if seconds < self.give_up_seconds:
                raise
            return CallbackResult("failed", f"gave up: {error}")
        return judge_endpoint(step, endpoint, seconds, self.give_up_seconds)

    def _report(self, step: WaitingStep, result: CallbackResult) -> None:
        """Answers the step, or calls the next function if no step waits."""
        if not step.token:
            self._call_next_function(step, result)
            return
        client_request_token = hashlib.sha256(f"{step.token} {result.kind}".encode()).hexdigest()
        tokens = {"CallbackToken": step.token, "ClientRequestToken": client_request_token}
        try:
            if result.kind == "done":
                outputs = {"outcome": result.text, "endpoint_name": step.endpoint}
                parameters = [{"Name": key, "Value": value} for key, value in outputs.items()]
                self.aws.call(
                    "sagemaker", "send_pipeline_execution_step_success", **tokens, OutputParameters=parameters
                )
            else:
                reason = shorten(result.text)
                self.aws.call("sagemaker", "send_pipeline_execution_step_failure", **tokens, FailureReason=reason)
        except (RefusedError, RetryableError) as error:
            refusal = error if isinstance(error, RefusedError) else error.refusal
            if refusal is None or refusal.code not in _GONE_CODES:
                raise
            self.log.warning("the step no longer waits", why=str(error), endpoint=step.endpoint)

    def _call_next_function(self, step: WaitingStep, result: CallbackResult) -> None:
        if result.kind == "failed":
            self.log.error("the next function is not called", why=result.text, endpoint=step.endpoint)
            return
        payload = json.dumps({**step.next_event, "outcome": result.text}).encode()
        self.aws.call("lambda", "invoke", FunctionName=step.next_function, InvocationType="Event", Payload=payload)


def handler(event: Mapping[str, Any], context: Any) -> dict[str, list[dict[str, str]]]:
    """Lambda's entry point."""
    queue = WaitingSteps(Aws(), Log.of("await_endpoint", context), 60 * float(os.environ[ENV_GIVE_UP_MINUTES]))
    return queue.process(event, TimeBudget.of(context, reserve=10))


def parse_message(record: Mapping[str, Any]) -> WaitingStep:
    """Parses a message of the queue."""
    try:
        body = json.loads(record["body"])
    except (KeyError, RecursionError, TypeError, ValueError) as error:
        raise EventError(f"the message is not JSON: {error}", _REMEDY) from error
    if not isinstance(body, dict) or not isinstance(body.get("arguments"), dict):
        raise EventError("the message is not from a callback step: it has no arguments", _REMEDY)
    token, arguments = body.get("token"), Event(body["arguments"])
    if not isinstance(token, str) or not (token == "" or _TOKEN.fullmatch(token)):
        raise EventError("the message is not from a callback step: its token is not valid", _REMEDY)
    function = "" if token else arguments.text(NEXT_FUNCTION)
    return WaitingStep(
        token=token,
        outcome=arguments.text("outcome"),
        endpoint=arguments.text("endpoint_name"),
        configuration=arguments.text("endpoint_config_name"),
        is_stopping=body.get("status", body.get("Status")) == "Stopping",
        since=_sent_at(record.get("attributes", {})),
        next_function=function,
        next_event=arguments.json_object(NEXT_EVENT) if function else {},
    )


def _sent_at(attributes: Mapping[str, Any]) -> float:
    """Returns when a message was sent, in seconds; SQS gives milliseconds as text."""
    timestamp = attributes.get("SentTimestamp", attributes.get("ApproximateFirstReceiveTimestamp"))
    if not isinstance(timestamp, str) or not timestamp.isdecimal():
        raise EventError("the message does not have the time when it was sent", _REMEDY)
    return int(timestamp) / 1000


def judge_endpoint(
    step: WaitingStep, endpoint: EndpointState | None, seconds: float, give_up_seconds: float
) -> CallbackResult:
    """Decides what the state of an endpoint means for the step that waits for it."""
    name = step.endpoint
    if endpoint is not None and endpoint.is_in_transition and not endpoint.is_failed_or_deleting:
        if seconds < give_up_seconds:
            return CallbackResult("waiting", f"{endpoint.status}, with {endpoint.target_configuration}")
        minutes = f"{give_up_seconds / 60:g} minutes"
        return CallbackResult("failed", f"gave up: endpoint {name} is {endpoint.status} after {minutes}, and goes on")
    if step.outcome == OUTCOME_BUSY:
        return CallbackResult("done", OUTCOME_BUSY)
    if endpoint is None:
        return CallbackResult("failed", f"endpoint {name} is gone; was it deleted meanwhile? deploy again")
    reason = endpoint.reason or f"no reason given; see the log group /aws/sagemaker/Endpoints/{name}"
    if endpoint.status != IN_SERVICE:
        return CallbackResult("failed", f"endpoint {name} is {endpoint.status}: {reason}")
    if endpoint.configuration == step.configuration:
        return CallbackResult("done", OUTCOME_IN_SERVICE)
    if seconds < _START_SECONDS:
        return CallbackResult("waiting", "has not started")
    return CallbackResult(
        "failed", f"was rolled back or replaced: endpoint {name} serves {endpoint.configuration} ({reason})"
    )


def shorten(reason: str) -> str:
    """Cuts a reason to the length that the API accepts."""
    return reason if len(reason) <= _MAX_REASON else f"{reason[: _MAX_REASON - 1]}…"
