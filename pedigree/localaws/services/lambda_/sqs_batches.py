"""Converts SQS messages to a Lambda event, and reads which of them a function has processed. Pure."""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.http.protocol.json_documents import value
from pedigree.localaws.services.events import patterns

Message: TypeAlias = Mapping[str, Any]


def event(messages: Sequence[Message], queue_arn: str) -> dict[str, Any]:
    """Return the event for a batch of messages."""
    return {"Records": [record(message, queue_arn) for message in messages]}


def record(message: Message, queue_arn: str) -> dict[str, Any]:
    """Return one message as a record of the event."""
    attributes = message.get("MessageAttributes", {})
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": dict(message.get("Attributes", {})),
        "messageAttributes": {name: _attribute(attribute) for name, attribute in attributes.items()},
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": queue_arn.split(":")[3],
    }


def passes_filters(message: Message, filters: Sequence[Mapping[str, Any]], queue_arn: str) -> bool:
    """Return whether a message matches one of the filters, or whether there are no filters."""
    filtered = record(message, queue_arn)
    # A body that is not JSON, or is nested too deeply, is matched as plain text.
    with contextlib.suppress(ServiceError, ValueError):
        filtered["body"] = value(filtered["body"].encode())
    return not filters or any(patterns.matches(pattern, filtered) for pattern in filters)


def processed(messages: Sequence[Message], response: bytes, *, reports_failures: bool) -> list[Message]:
    """Return the messages that a successful invocation has processed.

    A malformed response, or one that names an unknown message, counts as a failure of all messages.
    """
    if not reports_failures:
        return list(messages)
    try:
        failures = (json.loads(response or b"null") or {}).get("batchItemFailures") or []
        failed = {failure["itemIdentifier"] for failure in failures}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return []
    if not failed <= {message["MessageId"] for message in messages}:
        return []
    return [message for message in messages if message["MessageId"] not in failed]


def _attribute(attribute: Mapping[str, Any]) -> dict[str, Any]:
    binary = attribute.get("BinaryValue")
    return {
        **({"stringValue": attribute["StringValue"]} if "StringValue" in attribute else {}),
        **({"binaryValue": base64.b64encode(binary).decode()} if binary is not None else {}),
        "stringListValues": [],
        "binaryListValues": [],
        "dataType": attribute["DataType"],
    }
