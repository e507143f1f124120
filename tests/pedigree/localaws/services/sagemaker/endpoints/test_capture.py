"""What data capture writes of an endpoint, and where."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from pedigree.localaws.services.sagemaker.endpoints.capture import Capture, CapturedInvocation, address, line

MOMENT = dt.datetime(2026, 3, 4, 5, 6, 7, 89_000, tzinfo=dt.timezone.utc)
CONFIGURED: dict[str, Any] = {
    "InitialSamplingPercentage": 50,
    "DestinationS3Uri": "s3://bucket/some/place",
    "CaptureOptions": [{"CaptureMode": "InputAndOutput"}],
    "CaptureContentTypeHeader": {"CsvContentTypes": ["text/csv"], "JsonContentTypes": ["application/json"]},
}


def captured(invocation: CapturedInvocation, **changes: Any) -> Any:
    capture = Capture.of({**CONFIGURED, **changes})
    assert capture is not None
    return json.loads(line(capture, invocation, "event", MOMENT))


def test_lines_lie_by_endpoint_variant_and_hour() -> None:
    place = address("s3://bucket/some/place/", "dogs", "all", MOMENT, "unique")
    assert str(place) == "s3://bucket/some/place/dogs/all/2026/03/04/05/06-07-089-unique.jsonl"


def test_types_that_are_named_stay_readable() -> None:
    found = captured(CapturedInvocation(b"1,2", "text/csv; charset=utf-8", b'{"a": 1}', "application/json"))[
        "captureData"
    ]
    assert (found["endpointInput"]["data"], found["endpointInput"]["encoding"]) == ("1,2", "CSV")
    assert (found["endpointOutput"]["data"], found["endpointOutput"]["encoding"]) == ('{"a": 1}', "JSON")


def test_everything_else_is_base64() -> None:
    found = captured(CapturedInvocation(b"\xff", "text/csv", b"abc", "image/png"))["captureData"]
    assert (found["endpointInput"]["data"], found["endpointInput"]["encoding"]) == ("/w==", "BASE64")
    assert found["endpointOutput"]["data"] == "YWJj"


def test_only_the_configured_sides_are_captured() -> None:
    found = captured(CapturedInvocation(b"1", "text/csv", b"2", "text/csv"), CaptureOptions=[{"CaptureMode": "Output"}])
    assert list(found["captureData"]) == ["endpointOutput"]
    assert found["eventMetadata"] == {"eventId": "event", "inferenceTime": "2026-03-04T05:06:07Z"}


def test_a_percentage_of_the_requests_is_captured() -> None:
    capture = Capture.of(CONFIGURED)
    assert capture is not None
    assert [capture.is_chosen(chance) for chance in (0.0, 0.49, 0.5, 0.99)] == [True, True, False, False]
    assert Capture.of({**CONFIGURED, "EnableCapture": False}) is None
    assert Capture.of(None) is None
