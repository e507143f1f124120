"""Which messages of a batch are dealt with, by what the function answers."""

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
    ("answer", "expected"),
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
def test_what_is_reported_comes_again_and_a_report_that_cannot_be_means_all(answer: bytes, expected: str) -> None:
    done = sqs_batches.done(BATCH, answer, reports_failures=True)
    assert "".join(one["MessageId"] for one in done) == expected


def test_without_reports_a_call_that_did_not_fail_deals_with_all() -> None:
    assert sqs_batches.done(BATCH, failures("a"), reports_failures=False) == BATCH


def test_filters_see_a_body_as_json_where_it_is_json() -> None:
    wanted: list[dict[str, Any]] = [{"body": {"kind": ["x"]}}, {"body": ["plain"]}]
    bodies = ['{"kind": "x"}', '{"kind": "y"}', "plain", "other"]
    assert [sqs_batches.is_wanted(message("a", body), wanted, QUEUE) for body in bodies] == [True, False, True, False]
    assert sqs_batches.is_wanted(message("a"), [], QUEUE)
    assert not sqs_batches.is_wanted(message("a", "[" * 100_000), wanted, QUEUE)
    assert not sqs_batches.is_wanted(message("a", "[" * 900 + "]" * 900), wanted, QUEUE)


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
