"""Calls that nobody waits for: kept until they are made, repeated when the function fails, told to destinations."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any

from pedigree.localaws.http.protocol.documents import value
from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.kernel.clients import LAMBDA
from pedigree.localaws.kernel.store import Document
from pedigree.localaws.services.events.deliveries import (
    DeliveryFailedError,
    DeliveryPostponedError,
    DeliveryQueue,
    RetriesExhausted,
    new_delivery,
)
from pedigree.localaws.services.events.targets import target_delivery
from pedigree.localaws.services.lambda_.environment_pool import ThrottledError
from pedigree.localaws.services.lambda_.function_catalog import Function
from pedigree.localaws.services.lambda_.invoker import InvocationResult, Invoker

CHANNEL = "invocation"
_RETRIES = 2
_LONGEST_WORDS = 1024
_OLDEST_SECONDS = 21600.0


class AsyncInvoker:
    """Makes calls as deliveries."""

    def __init__(self, invoker: Invoker, deliveries: DeliveryQueue) -> None:
        self._invoker = invoker
        self._deliveries = deliveries

    def accept(self, function: Function, body: str) -> str:
        """Promise a call; the id of its request."""
        policy = function.policy
        most = policy.get("MaximumRetryAttempts")
        seconds = policy.get("MaximumEventAgeInSeconds") or _OLDEST_SECONDS
        tries = _RETRIES if most is None else int(most)
        now = self._deliveries.now()
        return self._deliveries.add(
            new_delivery(CHANNEL, now, most=tries, seconds=float(seconds), to=function.invoked_arn, body=body)
        )

    def bring(self, name: str, delivery: Document) -> None:
        """Make the call."""
        try:
            invoked = self._invoker.invoke(delivery["to"], delivery["body"].encode(), request_id=name)
        except ThrottledError:
            raise DeliveryPostponedError from None
        except ServiceError as error:
            raise DeliveryFailedError(error.code, error.message, is_final=error.status < 500) from None
        if invoked.error:
            raise DeliveryFailedError(invoked.error, invoked.body.decode(errors="replace"))
        self._tell(delivery, "OnSuccess", _record(name, delivery, "Success", delivery["tries"] + 1, invoked))

    def give_up(self, name: str, delivery: Document, refusal: RetriesExhausted) -> None:
        """Tell the destination of failures."""
        record = _record(name, delivery, "RetriesExhausted", refusal.tries + 1, None)
        self._tell(delivery, "OnFailure", {**record, "responsePayload": _json(refusal.message)})
        self._bury(name, delivery, refusal)

    def _tell(self, delivery: Document, outcome: str, record: dict[str, Any]) -> None:
        function = self._function(delivery)
        if function is not None:
            arn = ((function.policy.get("DestinationConfig") or {}).get(outcome) or {}).get("Destination")
            self._send(function, arn, json.dumps(record), {})

    def _bury(self, name: str, delivery: Document, refusal: RetriesExhausted) -> None:
        """Leave the event in the function's dead-letter queue, with why it is there."""
        function = self._function(delivery)
        if function is not None:
            about = {"RequestID": name, "ErrorCode": "200", "ErrorMessage": refusal.message[:_LONGEST_WORDS]}
            self._send(function, function.dead_letter, delivery["body"], about)

    def _function(self, delivery: Document) -> Function | None:
        """The function of a call; one that is gone has no destinations."""
        try:
            return self._invoker.book.find(delivery["to"])
        except ServiceError:
            return None

    def _send(self, function: Function, arn: str | None, body: str, about: Mapping[str, str]) -> None:
        if arn:
            target = {"Arn": arn, "RoleArn": function.role, "MessageAttributeParameters": about}
            self._deliveries.add(
                target_delivery(target, body, self._deliveries.now(), (LAMBDA, function.arn), about={})
            )


def _record(
    name: str, delivery: Document, condition: str, tries: int, invoked: InvocationResult | None
) -> dict[str, Any]:
    return {
        "version": "1.0",
        "timestamp": dt.datetime.now(dt.timezone.utc).isoformat(timespec="milliseconds"),
        "requestContext": {
            "requestId": name,
            "functionArn": delivery["to"],
            "condition": condition,
            "approximateInvokeCount": tries,
        },
        "requestPayload": _json(delivery["body"]),
        "responseContext": {"statusCode": 200, "executedVersion": invoked.version if invoked else "$LATEST"},
        "responsePayload": _json(invoked.body.decode(errors="replace")) if invoked else None,
    }


def _json(text: str) -> Any:
    """What a text says; one that is no JSON, or too deep, says itself."""
    try:
        return value(text.encode() or b"null")
    except (ServiceError, ValueError):
        return text
