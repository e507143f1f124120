"""Asynchronous invocations: queued, retried when the function fails, and reported to destinations."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.http.protocol.json_documents import value
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
from pedigree.localaws.services.lambda_.environment_pool import ACCOUNT_CONCURRENCY, ThrottledError
from pedigree.localaws.services.lambda_.function_catalog import Function
from pedigree.localaws.services.lambda_.invoker import InvocationResult, Invoker

CHANNEL = "invocation"
_DEFAULT_RETRIES = 2
_DEFAULT_MAX_AGE_SECONDS = 21600.0
_MAX_MESSAGE_CHARACTERS = 1024


class AsyncInvoker:
    """Queues invocations, and carries them out as a channel of the delivery queue."""

    def __init__(self, invoker: Invoker, deliveries: DeliveryQueue) -> None:
        self._invoker = invoker
        self._deliveries = deliveries
        deliveries.add_channel(CHANNEL, self, ACCOUNT_CONCURRENCY)

    def enqueue(self, function: Function, body: str) -> str:
        """Queue an invocation, and return its request id."""
        retries = function.event_invoke_config.get("MaximumRetryAttempts")
        max_age = function.event_invoke_config.get("MaximumEventAgeInSeconds") or _DEFAULT_MAX_AGE_SECONDS
        delivery = new_delivery(
            CHANNEL,
            self._deliveries.now(),
            max_retries=_DEFAULT_RETRIES if retries is None else int(retries),
            max_age=float(max_age),
            to=function.invoked_arn,
            body=body,
        )
        return self._deliveries.add(delivery)

    def deliver(self, delivery_id: str, delivery: Document) -> None:
        """Invoke the function, and report a success to its destination."""
        try:
            result = self._invoker.invoke(delivery["to"], delivery["body"].encode(), request_id=delivery_id)
        except ThrottledError:
            raise DeliveryPostponedError from None
        except ServiceError as error:
            is_final = error.status < HTTPStatus.INTERNAL_SERVER_ERROR
            raise DeliveryFailedError(error.code, error.message, is_final=is_final) from None
        if result.error:
            raise DeliveryFailedError(result.error, result.body.decode(errors="replace"))
        record = _record(delivery_id, delivery, "Success", delivery["tries"] + 1, result)
        self._send_to_destination(delivery, "OnSuccess", record)

    def give_up(self, delivery_id: str, delivery: Document, reason: RetriesExhausted) -> None:
        """Report the failure to the function's destination and to its dead-letter queue."""
        record = _record(delivery_id, delivery, "RetriesExhausted", reason.retries + 1, None)
        self._send_to_destination(delivery, "OnFailure", {**record, "responsePayload": _as_json(reason.message)})
        self._send_to_dead_letter_queue(delivery_id, delivery, reason)

    def _send_to_destination(self, delivery: Document, outcome: str, record: dict[str, Any]) -> None:
        function = self._find_function(delivery)
        if function is not None:
            destinations = function.event_invoke_config.get("DestinationConfig") or {}
            self._send(function, (destinations.get(outcome) or {}).get("Destination"), json.dumps(record), {})

    def _send_to_dead_letter_queue(self, delivery_id: str, delivery: Document, reason: RetriesExhausted) -> None:
        function = self._find_function(delivery)
        if function is not None:
            message = reason.message[:_MAX_MESSAGE_CHARACTERS]
            attributes = {"RequestID": delivery_id, "ErrorCode": "200", "ErrorMessage": message}
            self._send(function, function.dead_letter_arn, delivery["body"], attributes)

    def _find_function(self, delivery: Document) -> Function | None:
        """Return the invoked function, or None if it has been deleted meanwhile."""
        try:
            return self._invoker.catalog.find(delivery["to"])
        except ServiceError:
            return None

    def _send(self, function: Function, arn: str | None, body: str, attributes: Mapping[str, str]) -> None:
        if arn:
            target = {"Arn": arn, "RoleArn": function.role, "MessageAttributeParameters": attributes}
            now, source = self._deliveries.now(), (LAMBDA, function.arn)
            self._deliveries.add(target_delivery(target, body, now, source, about={}))


def _record(
    request_id: str, delivery: Document, condition: str, invocations: int, result: InvocationResult | None
) -> dict[str, Any]:
    """Return an invocation record, as destinations get it."""
    return {
        "version": "1.0",
        "timestamp": dt.datetime.now(dt.timezone.utc).isoformat(timespec="milliseconds"),
        "requestContext": {
            "requestId": request_id,
            "functionArn": delivery["to"],
            "condition": condition,
            "approximateInvokeCount": invocations,
        },
        "requestPayload": _as_json(delivery["body"]),
        "responseContext": {"statusCode": 200, "executedVersion": result.version if result else "$LATEST"},
        "responsePayload": _as_json(result.body.decode(errors="replace")) if result else None,
    }


def _as_json(text: str) -> Any:
    """Return the value of a JSON text, or the text itself if it is not JSON or is nested too deeply."""
    try:
        return value(text.encode() or b"null")
    except (ServiceError, ValueError):
        return text
