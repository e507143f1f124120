"""Answers a waiting step once its endpoint serves what was asked for, or never will.

The step leaves a message in a queue and waits for as long as it takes. Lambda hands the messages over in batches; a
message that is reported as failed comes back when its visibility time-out is over, so the queue is the clock and
nothing runs in between. A message without a token is left by deploy_endpoint after an approval, when no step waits: it
names the function that is called instead. What cannot be understood is left to the redrive policy of the queue, which
moves it to the dead-letter queue.
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
from shared.aws import Aws, Patience
from shared.endpoint import IN_SERVICE, Endpoint
from shared.errors import EventError, FunctionError, NotYetError, RefusedError
from shared.event import Event
from shared.log import Log

OUTCOME_IN_SERVICE = "in-service"
OUTCOME_NOT_APPROVED = "not-approved"
OUTCOME_BUSY = "busy"
NEXT_FUNCTION = "next_function"
NEXT_EVENT = "next_event"
ENV_GIVE_UP_MINUTES = "GIVE_UP_MINUTES"
_LONGEST_REASON = 256
_TOKEN = re.compile(r"[a-zA-Z0-9]{10}")
# No fleet comes up and goes again within this time: what is not Updating yet has not begun.
_BEGINNING_SECONDS = 60.0
_GONE = ("ResourceNotFound", "ValidationException")


@dataclass(frozen=True)
class Waiting:
    """Who waits for what, and since when; a token is a step's, and without one a function is called."""

    token: str
    outcome: str
    endpoint: str
    configuration: str
    is_stopping: bool
    since: float
    next_function: str = ""
    next_event: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Verdict:
    """What is to be said to the step: its outcome, or why it failed; or nothing yet."""

    kind: Literal["done", "failed", "waiting"]
    text: str


@dataclass(frozen=True)
class Desk:
    """What a message is worked on with."""

    aws: Aws
    log: Log
    give_up_seconds: float
    now: Callable[[], float] = time.time


def handler(event: Mapping[str, Any], context: Any) -> dict[str, list[dict[str, str]]]:
    """What Lambda calls."""
    desk = Desk(Aws(), Log.of("await_endpoint", context), 60 * float(os.environ[ENV_GIVE_UP_MINUTES]))
    return settle(event, desk, Patience.of(context, reserve=10))


def settle(event: Mapping[str, Any], desk: Desk, patience: Patience) -> dict[str, list[dict[str, str]]]:
    """Work on each message of a batch; those that are to come back are named in the answer."""
    again = [
        record["messageId"] for record in event["Records"] if patience.remaining() <= 0 or not _is_settled(record, desk)
    ]
    return {"batchItemFailures": [{"itemIdentifier": message} for message in again]}


def _is_settled(record: Mapping[str, Any], desk: Desk) -> bool:
    """Whether a message has done its work; nothing that goes wrong with one touches the others."""
    message = str(record["messageId"])
    try:
        waiting = read(record)
        verdict = _verdict(waiting, desk)
        desk.log.info(verdict.kind, why=verdict.text, endpoint=waiting.endpoint, message_id=message)
        if verdict.kind != "waiting":
            _answer(waiting, verdict, desk)
        return verdict.kind != "waiting"
    except EventError as error:
        desk.log.error("cannot be understood, and is left to the dead-letter queue", why=str(error), message_id=message)
    except (FunctionError, NotYetError) as error:
        desk.log.warning("comes back", why=str(error), message_id=message)
    return False


def read(record: Mapping[str, Any]) -> Waiting:
    """What a message says."""
    try:
        body = json.loads(record["body"])
    except (KeyError, RecursionError, TypeError, ValueError) as error:
        raise EventError(f"the message is no JSON: {error}") from error
    if not isinstance(body, dict) or not isinstance(body.get("arguments"), dict):
        raise EventError("the message is none of a callback step: it has no arguments")
    token, arguments = body.get("token"), Event(body["arguments"])
    if not isinstance(token, str) or not (token == "" or _TOKEN.fullmatch(token)):
        raise EventError("the message is none of a callback step: its token is none")
    function = "" if token else arguments.text(NEXT_FUNCTION)
    return Waiting(
        token=token,
        outcome=arguments.text("outcome"),
        endpoint=arguments.text("endpoint_name"),
        configuration=arguments.text("endpoint_config_name"),
        is_stopping=body.get("status", body.get("Status")) == "Stopping",
        since=_sent(record.get("attributes", {})),
        next_function=function,
        next_event=arguments.table(NEXT_EVENT) if function else {},
    )


def _sent(attributes: Mapping[str, Any]) -> float:
    """When a message was sent, in seconds; SQS says it in milliseconds, as text."""
    found = attributes.get("SentTimestamp", attributes.get("ApproximateFirstReceiveTimestamp"))
    if not isinstance(found, str) or not found.isdecimal():
        raise EventError("the message does not say when it was sent")
    return int(found) / 1000


def _verdict(waiting: Waiting, desk: Desk) -> Verdict:
    """Only who waits for an endpoint needs to look at it."""
    if waiting.outcome == OUTCOME_NOT_APPROVED:
        return Verdict("done", OUTCOME_NOT_APPROVED)
    if waiting.is_stopping:
        return Verdict("failed", f"the execution was stopped; endpoint {waiting.endpoint} goes on with what it is at")
    seconds = desk.now() - waiting.since
    try:
        endpoint = endpoints.find(desk.aws, waiting.endpoint)
    except (FunctionError, NotYetError) as error:
        if seconds < desk.give_up_seconds:
            raise
        return Verdict("failed", f"gave up: {error}")
    return judge(waiting, endpoint, seconds, desk.give_up_seconds)


def judge(waiting: Waiting, endpoint: Endpoint | None, seconds: float, give_up_seconds: float) -> Verdict:
    """What an endpoint's state means to who waits for it."""
    name = waiting.endpoint
    if endpoint is not None and endpoint.is_moving and not endpoint.is_lost:
        if seconds < give_up_seconds:
            return Verdict("waiting", f"{endpoint.status}, with {endpoint.heading_for}")
        minutes = f"{give_up_seconds / 60:g} minutes"
        return Verdict("failed", f"gave up: endpoint {name} is {endpoint.status} after {minutes}, and goes on")
    if waiting.outcome == OUTCOME_BUSY:
        return Verdict("done", OUTCOME_BUSY)
    if endpoint is None:
        return Verdict("failed", f"endpoint {name} is gone; was it deleted meanwhile? deploy again")
    why = endpoint.reason or f"no reason given; see the log group /aws/sagemaker/Endpoints/{name}"
    if endpoint.status != IN_SERVICE:
        return Verdict("failed", f"endpoint {name} is {endpoint.status}: {why}")
    if endpoint.configuration == waiting.configuration:
        return Verdict("done", OUTCOME_IN_SERVICE)
    if seconds < _BEGINNING_SECONDS:
        return Verdict("waiting", "has not begun")
    return Verdict("failed", f"rolled back, or replaced: endpoint {name} serves {endpoint.configuration} ({why})")


def _answer(waiting: Waiting, verdict: Verdict, desk: Desk) -> None:
    """Tell the step, or, where no step waits, call what comes next."""
    if not waiting.token:
        _go_on(waiting, verdict, desk)
        return
    same_again = hashlib.sha256(f"{waiting.token} {verdict.kind}".encode()).hexdigest()
    names = {"CallbackToken": waiting.token, "ClientRequestToken": same_again}
    try:
        if verdict.kind == "done":
            outputs = {"outcome": verdict.text, "endpoint_name": waiting.endpoint}
            listed = [{"Name": key, "Value": value} for key, value in outputs.items()]
            desk.aws.ask("sagemaker", "send_pipeline_execution_step_success", **names, OutputParameters=listed)
        else:
            reason = shortened(verdict.text)
            desk.aws.ask("sagemaker", "send_pipeline_execution_step_failure", **names, FailureReason=reason)
    except (RefusedError, NotYetError) as error:
        refusal = error if isinstance(error, RefusedError) else error.refusal
        if refusal is None or refusal.code not in _GONE:
            raise
        desk.log.warning("nobody waits for the answer any more", why=str(error), endpoint=waiting.endpoint)


def _go_on(waiting: Waiting, verdict: Verdict, desk: Desk) -> None:
    """Call the function that comes next; what it says is its own."""
    if verdict.kind == "failed":
        desk.log.error("what was to follow an approval does not", why=verdict.text, endpoint=waiting.endpoint)
        return
    payload = json.dumps({**waiting.next_event, "outcome": verdict.text}).encode()
    desk.aws.ask("lambda", "invoke", FunctionName=waiting.next_function, InvocationType="Event", Payload=payload)


def shortened(reason: str) -> str:
    """A reason as long as the API takes it."""
    return reason if len(reason) <= _LONGEST_REASON else f"{reason[: _LONGEST_REASON - 1]}…"
