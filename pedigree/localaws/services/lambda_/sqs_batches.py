"""Messages of a queue as a function gets them, and what its answer says of each. Pure."""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from pedigree.localaws.http.protocol.documents import value
from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.services.events import patterns

Message: TypeAlias = Mapping[str, Any]


def event(messages: Sequence[Message], queue_arn: str) -> dict[str, Any]:
    """The event of a batch."""
    return {"Records": [record(message, queue_arn) for message in messages]}


def record(message: Message, queue_arn: str) -> dict[str, Any]:
    """One message, as a function gets it."""
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": dict(message.get("Attributes", {})),
        "messageAttributes": {name: _attribute(told) for name, told in message.get("MessageAttributes", {}).items()},
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": queue_arn.split(":")[3],
    }


def is_wanted(message: Message, filters: Sequence[Mapping[str, Any]], queue_arn: str) -> bool:
    """Whether one of the filters lets a message through; without filters every message is."""
    told = record(message, queue_arn)
    # A body that is no JSON, or too deep, is matched as the text that it is.
    with contextlib.suppress(ServiceError, ValueError):
        told["body"] = value(told["body"].encode())
    return not filters or any(patterns.matches(one, told) for one in filters)


def done(messages: Sequence[Message], answer: bytes, *, reports_failures: bool) -> list[Message]:
    """The messages that are dealt with, by the answer of a call that did not fail.

    An answer that names a message that is not there, or none where one should be, makes all of them come again.
    """
    if not reports_failures:
        return list(messages)
    try:
        told = json.loads(answer or b"null")
        failures = (told or {}).get("batchItemFailures") or []
        failed = {one["itemIdentifier"] for one in failures}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return []
    if not failed <= {message["MessageId"] for message in messages}:
        return []
    return [message for message in messages if message["MessageId"] not in failed]


def _attribute(told: Mapping[str, Any]) -> dict[str, Any]:
    binary = told.get("BinaryValue")
    return {
        **({"stringValue": told["StringValue"]} if "StringValue" in told else {}),
        **({"binaryValue": base64.b64encode(binary).decode()} if binary is not None else {}),
        "stringListValues": [],
        "binaryListValues": [],
        "dataType": told["DataType"],
    }
