"""A picture from S3: the function's role decides of which buckets, so no address has to be guarded here."""

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
from predicting.errors import Refused, too_large

_ADDRESS = re.compile(r"(?i:s3)://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/(?P<key>.{1,1024})")
_PIECE = 256 * 1024
_FAULTS = {
    # To a role that may not list a bucket, S3 says the same of what is not there.
    403: (HTTPStatus.FORBIDDEN, "is not there or may not be read; the function's role says what may"),
    404: (HTTPStatus.NOT_FOUND, "is not there; check bucket and key"),
    416: (HTTPStatus.UNPROCESSABLE_ENTITY, "is empty; send a picture"),
}
_ANOTHER_FAULT = (HTTPStatus.FAILED_DEPENDENCY, "cannot be read now; try again")


@cache
def objects() -> Any:
    """The client of S3."""
    config = Config(connect_timeout=2, read_timeout=3, retries={"total_max_attempts": 2})
    return botocore.session.Session().create_client("s3", config=config)


def fetch(
    url: str, most_bytes: int, seconds: float, client: Any = None, clock: Callable[[], float] = time.monotonic
) -> bytes:
    """The bytes of an object; no more of it is asked for than tells that it is too large."""
    place = _ADDRESS.fullmatch(url)
    if not place or not url.isprintable():
        raise Refused(HTTPStatus.BAD_REQUEST, "the address is none of an object; write s3://bucket/key")
    deadline, name = Deadline(seconds, clock), f"s3://{place['bucket']}/{place['key']}"
    try:
        whole = f"bytes=0-{most_bytes}"
        answer = (client or objects()).get_object(Bucket=place["bucket"], Key=place["key"], Range=whole)
        if answer["ContentLength"] > most_bytes:
            raise too_large(name, most_bytes)
        return b"".join(piece for piece in answer["Body"].iter_chunks(_PIECE) if deadline.left())
    except ClientError as error:
        status, fault = _FAULTS.get(error.response["ResponseMetadata"]["HTTPStatusCode"], _ANOTHER_FAULT)
        raise Refused(status, f"{name} {fault}") from error
    except BotoCoreError as error:
        raise Refused(_ANOTHER_FAULT[0], f"{name} {_ANOTHER_FAULT[1]}") from error
