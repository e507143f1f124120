"""Fetches a picture from S3. The function's role decides which buckets are allowed, so URLs need no guard here."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from functools import cache
from http import HTTPStatus
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from predicting.deadline import Deadline
from predicting.errors import RequestRefusedError, too_large_error

_S3_URL = re.compile(r"(?i:s3)://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/(?P<key>.{1,1024})")
_CHUNK_SIZE = 256 * 1024
_ERRORS = {
    # S3 answers 403 for a missing object, too, if the role may not list the bucket.
    403: (HTTPStatus.FORBIDDEN, "does not exist or may not be read", "the function's role says what may be read"),
    404: (HTTPStatus.NOT_FOUND, "does not exist", "check bucket and key"),
    416: (HTTPStatus.UNPROCESSABLE_ENTITY, "is empty", "send a picture"),
}
_OTHER_ERROR = (HTTPStatus.FAILED_DEPENDENCY, "cannot be read now", "try again")


@cache
def s3_client() -> Any:
    """Returns the client of S3."""
    config = Config(connect_timeout=2, read_timeout=3, retries={"total_max_attempts": 2})
    return botocore.session.Session().create_client("s3", config=config)


def fetch(
    url: str, max_bytes: int, seconds: float, client: Any = None, clock: Callable[[], float] = time.monotonic
) -> bytes:
    """Returns the bytes of an object; requests at most one byte more than the limit."""
    match = _S3_URL.fullmatch(url)
    if not match or not url.isprintable():
        raise RequestRefusedError(
            HTTPStatus.BAD_REQUEST, "the address is not one of an S3 object", "write s3://bucket/key"
        )
    deadline, name = Deadline(seconds, clock), f"s3://{match['bucket']}/{match['key']}"
    try:
        byte_range = f"bytes=0-{max_bytes}"
        response = (client or s3_client()).get_object(Bucket=match["bucket"], Key=match["key"], Range=byte_range)
        if response["ContentLength"] > max_bytes:
            raise too_large_error(name, max_bytes)
        return b"".join(chunk for chunk in response["Body"].iter_chunks(_CHUNK_SIZE) if deadline.remaining())
    except ClientError as error:
        status, problem, remedy = _ERRORS.get(error.response["ResponseMetadata"]["HTTPStatusCode"], _OTHER_ERROR)
        raise RequestRefusedError(status, f"{name} {problem}", remedy) from error
    except BotoCoreError as error:
        status, problem, remedy = _OTHER_ERROR
        raise RequestRefusedError(status, f"{name} {problem}", remedy) from error
