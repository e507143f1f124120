"""SQS batches: which messages a response marks as processed, filters, and the form of records."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pedigree.localaws.services.lambda_ import sqs_batches

QUEUE = "arn:aws:sqs:us-east-1:123456789012:queue"


def message(name: str, body: str = "text", **more: Any) -> dict[str, Any]:
    return {"MessageId": name, "ReceiptHandle": f"handle {name}", "Body": body, "MD5OfBody": "md5", **more}


BATCH = [message("a"), message("b"), message("c")]


def failures(*names: Any) -> bytes:
    return json.dumps({"batchItemFailures": [{"itemIdentifier": name} for name in names]}).encode()


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        (b"", "abc"),
        (b"null", "abc"),
        (b"{}", "abc"),
        (b'{"batchItemFailures": null}', "abc"),
        (failures(), "abc"),
        (failures("b"), "ac"),
        (failures("a", "b", "c"), ""),
        (failures("never"), ""),
        (failures(""), ""),
        (failures(None), ""),
        (b'{"batchItemFailures": [{"other": "a"}]}', ""),
        (b'{"batchItemFailures": "a"}', ""),
        (b'"text"', ""),
        (b"no JSON", ""),
    ],
)
def test_reported_messages_come_again_and_a_malformed_report_means_all(response: bytes, expected: str) -> None:
    processed = sqs_batches.processed(BATCH, response, reports_failures=True)
    assert "".join(message["MessageId"] for message in processed) == expected


def test_without_reports_a_successful_invocation_processes_all_messages() -> None:
    assert sqs_batches.processed(BATCH, failures("a"), reports_failures=False) == BATCH


def test_filters_see_a_body_as_json_where_it_is_json() -> None:
    filters: list[dict[str, Any]] = [{"body": {"kind": ["x"]}}, {"body": ["plain"]}]
    bodies = ['{"kind": "x"}', '{"kind": "y"}', "plain", "other"]
    assert [sqs_batches.passes_filters(message("a", body), filters, QUEUE) for body in bodies] == [
        True,
        False,
        True,
        False,
    ]
    assert sqs_batches.passes_filters(message("a"), [], QUEUE)
    assert not sqs_batches.passes_filters(message("a", "[" * 100_000), filters, QUEUE)
    assert not sqs_batches.passes_filters(message("a", "[" * 900 + "]" * 900), filters, QUEUE)


def test_binary_attributes_are_written_as_lambda_writes_them() -> None:
    attributes = {"raw": {"DataType": "Binary", "BinaryValue": b"\x00\x01"}}
    (record,) = sqs_batches.event([message("a", MessageAttributes=attributes)], QUEUE)["Records"]
    assert record["messageAttributes"]["raw"] == {
        "binaryValue": "AAE=",
        "stringListValues": [],
        "binaryListValues": [],
        "dataType": "Binary",
    }
    assert record["awsRegion"] == "us-east-1"
