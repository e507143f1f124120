"""A picture from S3: only an object, only up to the limit, and refusals are reported as such."""

from __future__ import annotations

import io
import itertools
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from botocore.response import StreamingBody

from predicting import s3_fetch
from predicting.errors import RequestRefusedError

MAX_BYTES = 1000


@dataclass
class Objects:
    """S3 with one object in it."""

    content: bytes = b""
    error: Exception | None = None
    requests: list[dict[str, str]] = field(default_factory=list)

    def get_object(self, **request: str) -> dict[str, Any]:
        self.requests.append(request)
        if self.error:
            raise self.error
        first, last = (int(end) for end in request["Range"].removeprefix("bytes=").split("-"))
        part = self.content[first : last + 1]
        return {"ContentLength": len(part), "Body": StreamingBody(io.BytesIO(part), len(part))}


def denied(status: int, code: str) -> ClientError:
    return ClientError(
        {
            "Error": {"Code": code, "Message": "User: arn:aws:sts::123456789012:assumed-role/x is not authorized"},
            "ResponseMetadata": {"HTTPStatusCode": status},
        },
        "GetObject",
    )


def refusal(url: str, objects: Objects, **more: Any) -> RequestRefusedError:
    with pytest.raises(RequestRefusedError) as caught:
        s3_fetch.fetch(url, MAX_BYTES, 10, objects, **more)
    return caught.value


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("s3://pictures/dog.png", "dog.png"),
        ("S3://pictures/a/b c/é?#%20.png", "a/b c/é?#%20.png"),
    ],
)
def test_an_object_is_read_by_the_key_as_it_is_written(url: str, key: str) -> None:
    objects = Objects(bytes(MAX_BYTES))
    assert s3_fetch.fetch(url, MAX_BYTES, 10, objects) == objects.content
    assert objects.requests == [{"Bucket": "pictures", "Key": key, "Range": "bytes=0-1000"}]


@pytest.mark.parametrize("size", [MAX_BYTES + 1, 10**6])
def test_an_object_that_is_too_large_is_not_read_to_its_end(size: int) -> None:
    objects = Objects(bytes(size))
    assert refusal("s3://pictures/dog.png", objects).status == 413


@pytest.mark.parametrize(
    "url",
    [
        *(
            "s3://",
            "s3:///key",
            "s3://pictures",
            "s3://pictures/",
            "s3://p/key",
            "s3:pictures/key",
            "s3://Pictures/key",
        ),
        *("s3://user@pictures/key", "s3://pictures:443/key", "s3://arn:aws:s3:::pictures/key", f"s3://{'a' * 64}/key"),
        *("s3://[::1]/key", "s3://pictures\\/key", f"s3://pictures/{'a' * 1025}", "s3://pictures/a\nb"),
        *("s3://pictures/\ud800", "s3://pictures/\0"),
    ],
)
def test_an_address_without_an_object_is_refused(url: str) -> None:
    objects = Objects()
    assert refusal(url, objects).status == 400
    assert not objects.requests


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (denied(403, "AccessDenied"), 403),
        (denied(404, "NoSuchKey"), 404),
        (denied(404, "NoSuchBucket"), 404),
        (denied(416, "InvalidRange"), 422),
        (denied(503, "SlowDown"), 424),
        (EndpointConnectionError(endpoint_url="https://pictures.s3.amazonaws.com"), 424),
    ],
)
def test_an_error_is_reported_without_internals_of_the_account(error: Exception, status: int) -> None:
    refused = refusal("s3://pictures/dog.png", Objects(error=error))
    assert refused.status == status
    assert str(refused).startswith("s3://pictures/dog.png ")
    assert not any(word in str(refused) for word in ("arn:", "123456789012", "amazonaws"))


def test_reading_has_an_end_in_time() -> None:
    clock = partial(next, itertools.count(0, 20.0))
    assert refusal("s3://pictures/dog.png", Objects(b"x"), clock=clock).status == 408
